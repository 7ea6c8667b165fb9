#include "worker/serve.hpp"

#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include <procpool/detail/descriptor.hpp>

#include "channel/worker_end.hpp"
#include "os/fork.hpp"
#include "os/modules.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/worker_setup.hpp"
#include "worker/invoke.hpp"

namespace procpool::inline v0::worker {

namespace {

/// Task numbers, as this worker has been told them.
class Bindings {
 public:
  void bind(std::uint32_t number, std::span<const std::byte> payload) {
    const auto code = *wire::read<wire::Bind>(payload);
    if (tasks_.size() <= number) tasks_.resize(number + 1);
    tasks_[number].code = {code.module, code.offset};
    tasks_[number].descriptor =
        detail::find_descriptor(detail::locate_code(tasks_[number].code, false));
  }
  BoundTask task(std::uint32_t number) const {
    return number < tasks_.size() ? tasks_[number] : BoundTask{};
  }

 private:
  std::vector<BoundTask> tasks_;
};

[[noreturn]] void run_slots(channel::WorkerEnd& end) {
  Bindings bindings;
  for (;;) {
    end.wait_for_slot();
    const wire::CallHeader header = end.header();
    bool heard = false;
    if (header.kind == wire::CallKind::stop) os::exit_now(0);
    if (header.kind == wire::CallKind::bind) {
      bindings.bind(header.task, end.payload(header));
    } else {
      Invoke invoke(end, header);
      invoke.run(bindings.task(header.task));
      heard = invoke.heard();
    }
    end.pass_slot(heard);
  }
}

}  // namespace

void serve(os::Fd control) noexcept {
  try {
    os::set_role(os::Role::worker);
    os::become_worker("procpool-worker");
    os::watch_forks();
    channel::Attachment attachment = channel::attach(std::move(control));
    attachment.tether = os::tether_to(attachment.tether);
    channel::WorkerEnd end(std::move(attachment));
    os::set_initialised();  // a task may make pools of its own
    end.say_hello(os::program_identity());
    run_slots(end);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "procpool: a worker could not start: %s\n", error.what());
    os::exit_now(channel::exit_not_started);
  }
}

}  // namespace procpool::inline v0::worker
