#include "worker/process.hpp"

#include <cxxabi.h>

#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>

#include "channel/worker_end.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/socket.hpp"
#include "os/stack_text.hpp"
#include "os/worker_setup.hpp"
#include "shared/registry.hpp"
#include "wire/exception_codec.hpp"
#include "wire/throw_site.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::worker {

namespace {

struct Call {
  detail::CodeAddress code;
  std::vector<shared::Key> memories;
  std::span<const std::byte> archive;
  std::string name;
};

Call read_call(const os::Mapping& memory) {
  std::span<const std::byte> bytes(memory.data(), memory.size());
  const auto header = wire::read<wire::ProcessCall>(bytes);
  if (!header) throw std::runtime_error("the call of a Process has no header");
  bytes = bytes.subspan(sizeof *header);
  Call call{{header->module, header->offset}, {}, {}, {}};
  for (std::uint32_t i = 0; i != header->memories; ++i) {
    const auto named = *wire::read<wire::NamedMemory>(bytes);
    call.memories.push_back({named.number, static_cast<shared::Form>(named.form)});
    bytes = bytes.subspan(sizeof named);
  }
  call.archive = bytes.first(header->archive_bytes);
  const auto name = bytes.subspan(header->archive_bytes, header->name_bytes);
  call.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  return call;
}

/// Those that there is no descriptor for are lost: who decodes their handles hears of it.
void receive_memories(const os::Fd& control, std::span<const shared::Key> keys) {
  while (!keys.empty()) {
    wire::Control word{};
    os::Message got =
        os::receive_message(control.get(), std::as_writable_bytes(std::span(&word, 1)), never);
    if (got.io == os::Io::peer_gone) os::exit_now(channel::exit_unreachable);
    if (word.kind != wire::ControlKind::memories || word.number == 0 || word.number > keys.size()) {
      throw std::runtime_error("the memories of a Process's call did not come");
    }
    got.fds.resize(word.number);
    auto fd = got.fds.begin();
    for (const shared::Key& key : keys.first(word.number)) shared::receive(key, std::move(*fd++));
    keys = keys.subspan(word.number);
  }
}

/// The whole call is one element, and nobody waits for its result.
class Lone final : public detail::Invocation {
 public:
  explicit Lone(const Call& call) : call_(call), archive_(call.archive) {}

 private:
  detail::SpanIn& callable() override { return archive_; }
  detail::SpanIn& arguments() override { return archive_; }
  detail::SpanOut& result() override {
    throw std::logic_error("the callable of a Process has no result");
  }
  void commit() override {}
  bool next() override { return false; }
  /// From now on they stay as long as handles here do: an end of a pipe can be closed.
  void decoded() override {
    for (const shared::Key& key : call_.memories) shared::forget(key);
  }

  const Call& call_;
  detail::SpanIn archive_;
};

/// As Python does: where, then what. One write, so that texts of several processes do not mix.
void print_current_exception(const Call& call, const detail::Descriptor* descriptor) {
  const std::string task = descriptor == nullptr ? "?" : descriptor->name(call.archive);
  const wire::ErrorRecord record = wire::record_current_exception(
      {.task_name = task, .pid = os::this_pid(), .attempt = wire::not_of_a_pool,
       .frames = wire::throw_site()});
  std::string text = "Process " + call.name + ":\n";
  const std::string stack = os::stack_text(std::as_bytes(std::span(record.stack)));
  if (!stack.empty()) text += stack + '\n';
  text += wire::whole_text(record);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int run(const Call& call) {
  const detail::Descriptor* const descriptor =
      detail::find_descriptor(detail::locate_code(call.code, false));
  try {
    if (descriptor == nullptr) detail::throw_unknown_task(call.code);
    Lone invocation(call);
    descriptor->thunk(invocation);
    return 0;
  } catch (const wire::ThrowSite&) {  // never; see there
    return 1;
  } catch (const abi::__forced_unwind&) {
    os::exit_now(0);  // pthread_exit: the end of the thread is the end of the callable
  } catch (...) {
    print_current_exception(call, descriptor);
    return 1;
  }
}

}  // namespace

void run_process(os::Fd control, std::vector<os::Fd> fds) {
  const os::Fd tether =
      os::guard(os::tether_to(os::move_high(std::move(fds[wire::process_tether_fd]))));
  const os::Mapping memory(fds[wire::process_call_fd], os::Access::read_only);
  fds.clear();
  const Call call = read_call(memory);
  receive_memories(control, call.memories);
  control.reset();
  os::name_process(call.name.c_str());
  if (os::role_socket()) os::set_initialised();  // else a copy of the program, which has or has not
  os::exit_now(run(call));
}

}  // namespace procpool::inline v0::worker
