#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

#include "base/deadline.hpp"
#include "base/template_entry.hpp"
#include "os/error.hpp"
#include "os/memory.hpp"
#include "os/fork.hpp"
#include "os/modules.hpp"
#include "os/role.hpp"
#include "os/socket.hpp"
#include "os/spawn.hpp"
#include "os/thread_caps.hpp"
#include "supervisor/launcher.hpp"
#include "wire/hooks.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::supervisor {

namespace {

using wire::TemplateKind;
using wire::TemplateMessage;

constexpr int template_control = 3;
// Static initialisation and `preload` run in the template before it answers. Too short: slow programs
// cannot start; too long: a program that hangs in them is noticed late.
constexpr auto patience = std::chrono::seconds(60);
constexpr auto farewell = std::chrono::seconds(5);

std::string ended_how(const os::ExitStatus& status) {
  switch (status.how) {
    case os::ExitStatus::How::exited: return "it exited with code " + std::to_string(status.value);
    case os::ExitStatus::How::signaled: return "it was killed by " + os::signal_name(status.value);
    default: return "how is not known";
  }
}

/// Workers are forked by a template process, whose children they are.
class TemplateLauncher final : public Launcher {
 public:
  TemplateLauncher(StartMethod method, int inner_threads, const os::Fd& preload) {
    os::SocketPair pair = os::make_socket_pair();
    socket_ = os::guard(std::move(pair.ours));
    start(method, inner_threads, std::move(pair.theirs));
    try {
      greet(inner_threads, preload);
    } catch (...) {
      finish();
      throw;
    }
  }
  ~TemplateLauncher() override { finish(); }

  void launch(Ticket ticket, os::Fd control) override {
    const int fd = control.get();
    const TemplateMessage request{TemplateKind::fork, 0, ticket, 0};
    switch (os::send_message(socket_.get(), wire::bytes_of(request), {&fd, 1})) {
      case os::Io::ok: return;
      case os::Io::would_block: os::fail_with(EAGAIN, "sendmsg", "the template does not read");
      case os::Io::peer_gone: os::fail_with(EPIPE, "sendmsg", "the template process is gone");
    }
  }
  int socket() const override { return socket_.get(); }

  std::optional<LaunchEvent> next() override {
    TemplateMessage message{};
    os::Message got = os::receive_message(socket_.get(),
                                          std::as_writable_bytes(std::span(&message, 1)));
    if (got.io == os::Io::would_block) return std::nullopt;
    if (got.io == os::Io::peer_gone) return LaunchEvent{.why = "the template process is gone"};
    LaunchEvent event{.ticket = message.ticket};
    switch (message.kind) {
      case TemplateKind::forked:
        event.kind = LaunchEvent::Kind::started;
        event.pid = static_cast<pid_t>(message.value);
        if (!got.fds.empty()) event.pidfd = os::guard(std::move(got.fds.front()));
        return event;
      case TemplateKind::not_forked:
        event.kind = LaunchEvent::Kind::failed;
        event.why = "fork: " + std::generic_category().message(static_cast<int>(message.value));
        return event;
      case TemplateKind::exited:
        event.kind = LaunchEvent::Kind::exited;
        event.pid = static_cast<pid_t>(message.ticket);
        event.status = wire::unpack_status(message.value);
        event.status.peak_memory = message.peak_memory;
        event.status.cpu_time = message.cpu_time;
        return event;
      default:
        return LaunchEvent{.why = "the template process sent nonsense"};
    }
  }

  std::optional<os::ExitStatus> status(pid_t, int) override { return std::nullopt; }
  /// The template reaps, so the pid may be anybody's the moment the worker is gone; a group whose
  /// leader's pidfd still answers is the worker's.
  void kill(pid_t pid, int pidfd) override {
    if (!os::has_exited(pidfd)) os::kill_group(pid);
    os::send_signal(pidfd, 9);
  }

  void give_up() override { os::send_signal(pidfd_.get(), 9); }

  void finish() override {
    socket_.reset();  // the template ends when it sees that
    if (!pidfd_) return;
    if (!os::wait_for_exit(pidfd_.get(), deadline_after(farewell))) {
      os::send_signal(pidfd_.get(), 9);
    }
    os::wait_for_exit(pidfd_.get(), never);
    os::reap(pidfd_.get(), pid_);
    pidfd_.reset();
  }

 private:
  void start(StartMethod method, int inner_threads, os::Fd theirs) {
    if (method == StartMethod::fork) {
      pid_ = os::fork_process();
      if (pid_ == 0) enter_template(theirs.release());
      pidfd_ = os::guard(os::open_child_pidfd(pid_));
      return;
    }
    os::Spawned spawned =
        os::spawn({}, {os::template_argument, std::to_string(template_control)}, theirs,
                  template_control,
                  inner_threads > 0 ? os::thread_caps(inner_threads) : std::vector<std::string>());
    pid_ = spawned.pid;
    pidfd_ = os::guard(std::move(spawned.pidfd));
  }

  void greet(int inner_threads, const os::Fd& preload) {
    const os::Fd self = os::open_pidfd(os::this_pid());
    const std::array<int, 2> fds{self.get(), preload.get()};
    const TemplateMessage setup{TemplateKind::setup, 0, 0,
                                static_cast<std::uint64_t>(inner_threads)};
    const os::Io sent = os::send_message(socket_.get(), wire::bytes_of(setup),
                                         std::span(fds).first(preload ? 2 : 1));
    if (sent == os::Io::would_block) os::fail_with(ENOBUFS, "sendmsg", "to the template process");
    TemplateMessage ready{};
    const os::Message got = os::receive_message(
        socket_.get(), std::as_writable_bytes(std::span(&ready, 1)),
        preload ? never : deadline_after(patience));  // which takes as long as it takes
    if (got.io == os::Io::ok && ready.kind == TemplateKind::not_preloaded && !got.fds.empty()) {
      throw_not_preloaded(wire::hook_kind(ready.ticket), got.fds.front(), ready.value);
    }
    if (got.io == os::Io::ok && ready.kind == TemplateKind::ready) {
      if (ready.value == os::program_identity()) return;
      throw PoolBroken("the template process runs another build of " +
                       os::module_name(os::program_identity()) + ", which is this program");
    }
    os::send_signal(pidfd_.get(), 9);
    os::wait_for_exit(pidfd_.get(), never);
    const auto status = os::reap(pidfd_.get(), pid_);
    pidfd_.reset();
    throw PoolBroken("the template process could not be started: " +
                     ended_how(status.value_or(os::ExitStatus{})) +
                     " (it executes this program again: its static initialisation runs there)");
  }

  /// What the hook threw is in a memory of the template's.
  [[noreturn]] static void throw_not_preloaded(wire::HookKind hook, const os::Fd& memory,
                                               std::uint64_t bytes) {
    const std::vector<std::byte> record = os::read_memory(memory, bytes);
    try {
      std::rethrow_exception(detail::rebuild_error(record));
    } catch (...) {
      std::throw_with_nested(PoolBroken(wire::hook_failed(hook, std::current_exception())));
    }
  }

  os::Fd socket_;
  pid_t pid_ = 0;
  os::Fd pidfd_;
};

}  // namespace

std::unique_ptr<Launcher> make_template_launcher(StartMethod method, int inner_threads,
                                                 const os::Fd& preload) {
  return std::make_unique<TemplateLauncher>(method, inner_threads, preload);
}

}  // namespace procpool::inline v0::supervisor
