#include "worker/replay.hpp"

#include <cxxabi.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>

#include <procpool/detail/archive.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>
#include <procpool/errors.hpp>

#include "base/task_context.hpp"
#include "os/fork.hpp"
#include "os/modules.hpp"
#include "os/private_files.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "wire/capsule.hpp"
#include "wire/exception_codec.hpp"
#include "wire/hooks.hpp"

namespace procpool::inline v0::worker {

namespace {

constexpr std::string_view replay_argument = "--procpool-replay";
constexpr std::string_view describe_argument = "--procpool-describe";

/// The call, or the one element, and what this_task is told.
class Replay final : public detail::Invocation, private TaskContext {
 public:
  explicit Replay(const wire::CapsuleTask& task)
      : task_(task),
        callable_(wire::bytes_of_blob(task.is_element ? task.callable : task.arguments)),
        arguments_(wire::bytes_of_blob(task.arguments)) {}

  void run(const detail::Descriptor& descriptor) {
    const TaskScope scope(*this);
    descriptor.thunk(*this);
  }
  std::size_t result_bytes() const { return out_.size(); }

 private:
  detail::SpanIn& callable() override { return callable_; }
  detail::SpanIn& arguments() override { return task_.is_element ? arguments_ : callable_; }
  detail::SpanOut& result() override { return out_; }
  void commit() override {}
  bool next() override { return false; }

  bool stop_requested() noexcept override { return false; }
  std::stop_token token() override { return {}; }
  void progress(std::size_t, std::size_t) override {}
  void log(std::string_view text) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
  unsigned attempt() noexcept override { return task_.attempt; }
  std::string_view name() noexcept override { return task_.name; }
  std::size_t index() noexcept override {
    return task_.is_element ? static_cast<std::size_t>(task_.number) : 0;
  }
  std::uint64_t seed() noexcept override {
    return task_.is_element ? element_seed(task_.number) : call_seed(task_.number);
  }

  const wire::CapsuleTask& task_;
  detail::SpanIn callable_;
  detail::SpanIn arguments_;
  detail::HeapSink sink_;
  detail::SpanOut out_{{}, sink_};
};

wire::Capsule read_capsule(const std::filesystem::path& file) {
  return wire::parse_capsule(os::read_whole(file, wire::max_capsule_bytes));
}

int refuse(const std::filesystem::path& file, std::string_view why) {
  std::fprintf(stderr, "procpool: %s: %.*s\n", file.c_str(), static_cast<int>(why.size()),
               why.data());
  return replay_impossible;
}

std::string not_in_it(const wire::CapsuleTask& task) {
  return "it cannot be run again: its arguments (" + std::to_string(task.bytes) +
         (task.content == wire::Content::shared_state
              ? " bytes) have handles of shared state, which is gone"
              : " bytes) were too large to be kept");
}

std::string another_build(const wire::Capsule& capsule) {
  const std::string& module = capsule.task.module_name;
  return "it is of another build: the task " + wire::title_of(capsule.task) + " is in " +
         (module.empty() ? "a module that has no name" : module) + ", left by " +
         capsule.pool.program + ", and this program is " + os::module_name(os::program_identity()) +
         ": run " + capsule.pool.file + " as it was then";
}

/// False: one of them threw, which was told.
bool run_hooks(const wire::CapsulePool& pool, const std::filesystem::path& file) {
  for (const wire::CapsuleHook& hook : pool.hooks) {
    try {
      wire::run_hook({hook.module, hook.offset}, wire::bytes_of_blob(hook.callable));
    } catch (const abi::__forced_unwind&) {
      throw;
    } catch (...) {
      refuse(file, wire::hook_failed(wire::hook_kind(hook.kind), std::current_exception()));
      return false;
    }
  }
  return true;
}

int run(const wire::Capsule& capsule, const detail::Descriptor& descriptor) {
  const std::string& title = wire::title_of(capsule.task);
  Replay replay(capsule.task);
  try {
    replay.run(descriptor);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    const wire::ErrorRecord record = wire::record_current_exception(
        {.task_name = capsule.task.code, .pid = os::this_pid(), .attempt = wire::not_of_a_pool});
    std::fprintf(stderr, "procpool: %s threw:\n%s", title.c_str(),
                 wire::whole_text(record).c_str());
    return replay_exception;
  }
  std::printf("procpool: %s returned a value of %zu bytes\n", title.c_str(), replay.result_bytes());
  return replay_value;
}

}  // namespace

int replay(const std::filesystem::path& file) noexcept {
  try {
    const wire::Capsule capsule = read_capsule(file);
    const wire::CapsuleTask& task = capsule.task;
    if (task.content != wire::Content::whole) return refuse(file, not_in_it(task));
    os::set_role(os::Role::worker);
    os::watch_forks();
    if (!os::initialised()) os::set_initialised();
    if (!run_hooks(capsule.pool, file)) return replay_impossible;
    const detail::CodeAddress code{task.module, task.offset};
    const detail::Descriptor* const descriptor =
        detail::find_descriptor(detail::locate_code(code, false));  // after the modules are there
    if (descriptor == nullptr) return refuse(file, another_build(capsule));
    return run(capsule, *descriptor);
  } catch (const abi::__forced_unwind&) {
    os::exit_now(replay_exception);  // pthread_exit: a worker would have died of it
  } catch (const std::exception& error) {
    return refuse(file, error.what());
  }
}

int describe(const std::filesystem::path& file) noexcept {
  try {
    std::fputs(wire::describe(read_capsule(file)).c_str(), stdout);
    return replay_value;
  } catch (const std::exception& error) {
    return refuse(file, error.what());
  }
}

void serve_capsule_arguments(int argc, char** argv) noexcept {
  if (argc < 2 || argv == nullptr) return;
  const std::string_view word = argv[1];
  if (word != replay_argument && word != describe_argument) return;
  if (argc != 3) {
    std::fprintf(stderr, "procpool: %s wants one FILE, a capsule\n", argv[1]);
    os::exit_now(replay_impossible);
  }
  os::exit_now(word == replay_argument ? replay(argv[2]) : describe(argv[2]));
}

}  // namespace procpool::inline v0::worker
