#include "worker/template.hpp"

#include <cxxabi.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "base/template_entry.hpp"
#include "channel/worker_end.hpp"
#include "os/crash_signals.hpp"
#include "os/fork.hpp"
#include "os/memory.hpp"
#include "os/modules.hpp"
#include "os/poller.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "os/socket.hpp"
#include "os/stack.hpp"
#include "os/thread_caps.hpp"
#include "os/worker_setup.hpp"
#include "shared/registry.hpp"
#include "wire/exception_codec.hpp"
#include "wire/hooks.hpp"
#include "wire/messages.hpp"
#include "worker/serve.hpp"

namespace procpool::inline v0::worker {

namespace {

using wire::TemplateKind;
using wire::TemplateMessage;

constexpr std::uint64_t socket_key = 0;
constexpr std::uint64_t supervisor_key = 1;  // the other keys are workers' pids, which are larger

struct Forked {
  os::Fd pidfd;
  os::Fd reports;  // where its start and end are told; none: on the template's socket
};

class Template {
 public:
  Template(os::Fd socket, bool snapshot) : socket_(std::move(socket)), snapshot_(snapshot) {
    TemplateMessage setup{};
    os::Message got = receive(setup, never);
    if (got.io != os::Io::ok || setup.kind != TemplateKind::setup || got.fds.empty()) {
      throw std::runtime_error("no setup message from the supervisor");
    }
    supervisor_ = std::move(got.fds.front());
    if (setup.value != 0) os::set_thread_caps(static_cast<int>(setup.value));
    if (got.fds.size() > 1) preload(got.fds[1]);
    poller_.emplace();
    poller_->add(socket_.get(), socket_key, os::Poller::Trigger::level);
    poller_->add(supervisor_.get(), supervisor_key);
    send({TemplateKind::ready, 0, 0, os::program_identity()});
  }

  /// Until the supervisor is gone.
  void serve() {
    for (bool served = true; served;) {
      std::array<std::uint64_t, 64> keys;
      const std::size_t count = poller_->wait(keys);
      for (std::size_t i = 0; i != count && served; ++i) served = serve_key(keys[i]);
    }
  }

  void kill_everything() noexcept {
    for (const auto& [pid, worker] : workers_) os::kill_group(pid);
    os::kill_orphans([](pid_t, void*) { return false; }, nullptr);
  }

 private:
  void preload(const os::Fd& hooks) {
    const os::Mapping mapping(hooks, os::Access::read_only);
    auto running = wire::HookKind::preload;
    const unsigned generation = os::fork_generation();
    const auto leave_if_copy = [generation] {
      if (os::fork_generation() != generation) os::exit_now(0);  // a hook forked
    };
    try {
      wire::run_hooks({mapping.data(), mapping.size()}, running);
      leave_if_copy();
    } catch (const abi::__forced_unwind&) {
      os::exit_now(channel::exit_thread_ended);
    } catch (...) {
      leave_if_copy();
      tell_not_preloaded(running);
      os::exit_now(1);
    }
  }

  void tell_not_preloaded(wire::HookKind hook) {
    const wire::ErrorContext context{.task_name = wire::name_of(hook),
                                     .pid = os::this_pid(),
                                     .task = 0,
                                     .attempt = 1};
    const std::vector<std::byte> record = wire::encode_current_exception(context);
    const os::Fd memory = os::make_memory("procpool-error", record.size());
    {
      const os::Mapping mapping(memory, os::Access::read_write);
      std::memcpy(mapping.data(), record.data(), record.size());
    }
    send({TemplateKind::not_preloaded, 0, static_cast<std::uint64_t>(hook), record.size()},
         memory.get());
  }

  bool serve_key(std::uint64_t key) {
    if (key == supervisor_key) return false;
    if (key == socket_key) return serve_socket();
    report_exit(static_cast<pid_t>(key));
    return true;
  }

  bool serve_socket() {
    for (;;) {
      TemplateMessage message{};
      os::Message got = receive(message, Deadline{});
      if (got.io == os::Io::would_block) return true;
      if (got.io == os::Io::peer_gone) return false;
      if (message.kind != TemplateKind::fork) continue;
      if (got.truncated || got.fds.empty()) {
        send({TemplateKind::not_forked, 0, message.ticket, EMFILE});
      } else {
        fork_worker(message.ticket, std::move(got.fds));
      }
    }
  }

  os::Message receive(TemplateMessage& message, Deadline until) {
    return os::receive_message(socket_.get(), std::as_writable_bytes(std::span(&message, 1)),
                               until);
  }
  /// Never waits: a supervisor that does not read has died, or its user stopped it.
  void send(const TemplateMessage& message, int fd = -1) { send_to(socket_, message, fd); }
  static void send_to(const os::Fd& socket, const TemplateMessage& message, int fd = -1) {
    os::send_message(socket.get(), wire::bytes_of(message),
                     std::span<const int>(&fd, fd < 0 ? 0 : 1));
  }
  const os::Fd& reports_of(const Forked& worker) const {
    return worker.reports ? worker.reports : socket_;
  }

  void fork_worker(std::uint64_t ticket, std::vector<os::Fd> fds) {
    Forked worker;
    if (fds.size() > 1) worker.reports = std::move(fds[1]);
    pid_t pid = 0;
    try {
      pid = os::fork_unguarded();
      if (pid == 0) become_worker(std::move(fds.front()), std::move(worker.reports));
      os::let_lead_group(pid);  // before anybody hears of it: who ends this group ends none of them
      worker.pidfd = os::open_child_pidfd(pid);
    } catch (const std::system_error& error) {
      return send_to(reports_of(worker), {TemplateKind::not_forked, 0, ticket,
                                          static_cast<std::uint64_t>(error.code().value())});
    }
    poller_->add(worker.pidfd.get(), static_cast<std::uint64_t>(pid));
    send_to(reports_of(worker),
            {TemplateKind::forked, 0, ticket, static_cast<std::uint64_t>(pid)},
            worker.pidfd.get());
    workers_.emplace(pid, std::move(worker));
  }

  [[noreturn]] void become_worker(os::Fd control, os::Fd reports) noexcept {
    if (snapshot_) {
      reports.reset();
      workers_.clear();
      poller_.reset();
      supervisor_.reset();
      socket_.reset();
    } else {
      std::vector<int> keep = shared::descriptors();  // of static objects, and of the preload's
      keep.push_back(control.get());
      os::close_all_but(keep.data(), static_cast<int>(keep.size()));
    }
    worker::serve(std::move(control));
  }

  void report_exit(pid_t pid) {
    const auto worker = workers_.find(pid);
    if (worker == workers_.end()) return;
    const auto status = os::reap(worker->second.pidfd.get(), pid);
    if (!status) return;
    poller_->remove(worker->second.pidfd.get());
    const Forked ended = std::move(worker->second);
    workers_.erase(worker);
    os::kill_orphans(&belongs_to_worker, this);
    send_to(reports_of(ended), {TemplateKind::exited, 0, static_cast<std::uint64_t>(pid),
                                wire::pack_status(*status), status->peak_memory,
                                status->cpu_time});
  }

  /// A worker, or an orphan in the group of a worker that lives.
  static bool belongs_to_worker(pid_t pid, void* self) {
    const auto& workers = static_cast<Template*>(self)->workers_;
    return workers.contains(pid) || workers.contains(os::group_of(pid));
  }

  os::Fd socket_;
  bool snapshot_;
  os::Fd supervisor_;
  std::optional<os::Poller> poller_;
  std::map<pid_t, Forked> workers_;
};

}  // namespace

void serve_as_template(os::Fd socket, bool snapshot) noexcept {
  try {
    os::set_role(os::Role::template_process);
    os::become_template("procpool-templ");
    os::find_abort_message();  // once for all workers
    os::sanitizer_reports();
    os::warm_up_unwinder();
    Template self(std::move(socket), snapshot);
    self.serve();
    self.kill_everything();
    os::exit_now(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "procpool: the template process could not go on: %s\n", error.what());
    os::exit_now(1);
  }
}

}  // namespace procpool::inline v0::worker

namespace procpool::inline v0 {

void enter_template(int socket) noexcept { worker::serve_as_template(os::Fd(socket), true); }

}  // namespace procpool::inline v0
