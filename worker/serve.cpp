#include "worker/serve.hpp"

#include <cxxabi.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <utility>
#include <vector>

#include <procpool/detail/descriptor.hpp>
#include <procpool/named.hpp>

#include "base/deadline.hpp"
#include "base/worker_entry.hpp"
#include "channel/worker_end.hpp"
#include "os/fork.hpp"
#include "os/limits.hpp"
#include "os/modules.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/sandbox.hpp"
#include "os/worker_setup.hpp"
#include "shared/registry.hpp"
#include "wire/exception_codec.hpp"
#include "wire/exports.hpp"
#include "wire/hooks.hpp"
#include "wire/rules.hpp"
#include "worker/invoke.hpp"
#include "worker/last_words.hpp"
#include "worker/modules.hpp"
#include "worker/process.hpp"
#include "worker/stack_teller.hpp"
#include "worker/stderr_tee.hpp"

namespace procpool::inline v0::worker {

namespace {

/// A pool says by a call which modules to load (pool/make_core.cpp). Here, because this file is part of
/// every program.
const bool loads_modules = export_task(wire::load_modules_task, &load_modules);

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

/// Whether this process has grown by more than it may: looked at now and then.
class Growth {
 public:
  /// Before the sandbox is closed, in which it could not look.
  explicit Growth(std::uint64_t most) : most_(most) {
    if (most_ != 0) own_memory_ = os::guard(os::move_high(os::open_own_memory()));
  }
  /// From what it has now.
  void begin() { first_ = os::private_bytes(own_memory_); }
  /// True once.
  bool is_too_much() {
    if (most_ == 0) return false;
    const Deadline now = Clock::now();
    if (now - looked_at_ < std::chrono::milliseconds(100)) return false;
    looked_at_ = now;
    if (os::private_bytes(own_memory_) <= first_ + most_) return false;
    most_ = 0;
    return true;
  }

 private:
  std::uint64_t most_;
  os::Fd own_memory_;
  std::uint64_t first_ = 0;
  Deadline looked_at_ = {};
};

[[noreturn]] void run_slots(channel::WorkerEnd& end, Growth& growth) {
  Bindings bindings;
  growth.begin();
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
    if (growth.is_too_much()) end.tell(wire::ControlKind::grown);
  }
}

/// What it is held to, what the pool wants to be run first, and the door behind that. False: something
/// of it failed, and home was told why.
bool run_first(channel::WorkerEnd& end) {
  if (end.hooks().size() == 0 && end.rules().size() == 0) return true;
  auto running = wire::HookKind::limits;
  const unsigned generation = os::fork_generation();
  const auto leave_if_copy = [generation] {
    if (os::fork_generation() != generation) os::exit_now(0);  // a hook forked, and this came of it
  };
  try {
    const wire::Rules rules = wire::read_rules({end.rules().data(), end.rules().size()});
    os::set_limits(rules.limits);
    if (end.hooks().size() != 0) {
      wire::run_hooks({end.hooks().data(), end.hooks().size()}, running);
      leave_if_copy();
    }
    std::uint32_t gaps = 0;
    if (rules.sandboxed) {
      running = wire::HookKind::sandbox;
      gaps = os::close_sandbox(rules.filter, rules.readable);
    }
    end.tell(wire::ControlKind::ready, gaps);
    return true;
  } catch (const abi::__forced_unwind&) {
    note_ending(shm::LastWords::thread_ended);
    os::exit_now(channel::exit_thread_ended);
  } catch (...) {
    leave_if_copy();
    const wire::ErrorContext context{.task_name = wire::name_of(running),
                                     .pid = os::this_pid(),
                                     .task = 0,
                                     .attempt = 1};
    end.tell_start_error(running, wire::encode_current_exception(context));
    return false;
  }
}

}  // namespace

void serve(os::Fd control) noexcept {
  try {
    os::set_role(os::Role::worker);
    os::become_worker("procpool-worker");
    os::watch_forks();
    channel::FirstWord word = channel::receive_first_word(control);
    if (word.kind == wire::ControlKind::run) run_process(std::move(control), std::move(word.fds));
    channel::Attachment attachment = channel::attach(std::move(control), std::move(word));
    attachment.tether = os::tether_to(attachment.tether);
    channel::WorkerEnd end(std::move(attachment));
    keep_stderr(end.stderr_tail());
    leave_last_words(end.crash_record(), end.leader_bell(), end.background_bell(),
                     end.tells_crashes());
    tell_stacks(end);
    // A task may make pools of its own; in a copy of a program without init, only by fork.
    if (os::role_socket()) os::set_initialised();
    shared::set_source([&end] { end.take_control(); });
    end.say_hello(os::program_identity());
    Growth growth(end.memory_growth());
    if (!run_first(end)) os::exit_now(channel::exit_not_started);
    run_slots(end, growth);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "procpool: a worker could not start: %s\n", error.what());
    os::exit_now(channel::exit_not_started);
  }
}

}  // namespace procpool::inline v0::worker

namespace procpool::inline v0 {

void enter_worker(int socket) noexcept { worker::serve(os::Fd(socket)); }

}  // namespace procpool::inline v0
