#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "os/crash_signals.hpp"
#include "os/fork.hpp"
#include "os/role.hpp"
#include "os/spawn.hpp"
#include "os/thread_caps.hpp"
#include "supervisor/launcher.hpp"

namespace procpool::inline v0::supervisor {

namespace {

constexpr int worker_control = 3;

/// Every worker is a fresh execution and a child of this process.
class SpawnLauncher final : public Launcher {
 public:
  SpawnLauncher(std::filesystem::path program, int inner_threads)
      : program_(std::move(program)), inner_threads_(inner_threads) {}

  /// By the background thread, which is there as long as there are workers.
  void launch(Ticket ticket, os::Fd control) override {
    os::Spawned spawned = os::spawn(
        program_, {os::worker_argument, std::to_string(worker_control)}, control, worker_control,
        inner_threads_ > 0 ? os::thread_caps(inner_threads_) : std::vector<std::string>(),
        os::Outlives::nobody);
    const std::lock_guard lock(lock_);
    events_.push_back({.kind = LaunchEvent::Kind::started,
                       .ticket = ticket,
                       .pid = spawned.pid,
                       .pidfd = os::guard(std::move(spawned.pidfd))});
  }
  int socket() const override { return -1; }
  std::optional<LaunchEvent> next() override {
    const std::lock_guard lock(lock_);
    if (events_.empty()) return std::nullopt;
    std::optional<LaunchEvent> event(std::move(events_.front()));
    events_.pop_front();
    return event;
  }
  std::optional<os::ExitStatus> status(pid_t pid, int pidfd) override {
    auto status = os::reap(pidfd, pid);
    // Its figure begins with this program's, before the exec: it is the worker's own only beyond that.
    if (status && status->peak_memory <= os::own_peak_memory()) status->peak_memory = 0;
    return status;
  }
  void kill(pid_t pid, int pidfd) override {
    if (!os::has_exited(pidfd)) os::kill_group(pid);
    os::send_signal(pidfd, 9);
  }
  void finish() override {}

 private:
  std::filesystem::path program_;
  int inner_threads_;
  std::mutex lock_;
  std::deque<LaunchEvent> events_;
};

}  // namespace

std::unique_ptr<Launcher> make_spawn_launcher(const std::filesystem::path& program,
                                              int inner_threads) {
  return std::make_unique<SpawnLauncher>(program, inner_threads);
}

}  // namespace procpool::inline v0::supervisor
