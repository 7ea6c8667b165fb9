// Workers that are only their memory and their sockets: the test writes into both whatever it
// likes, as a worker that has gone wrong may.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "os/event.hpp"
#include "os/fd.hpp"
#include "os/memory.hpp"
#include "shm/layout.hpp"
#include "supervisor/launcher.hpp"
#include "wire/messages.hpp"

namespace procpool::test {

class RawWorker {
 public:
  explicit RawWorker(pid_t pid, os::Fd control);

  /// As an honest one does, when it is launched.
  void say_hello();
  /// A control packet of any kind. False: the socket is full, closed or takes no descriptors.
  bool say(std::span<const std::byte> bytes, std::span<const int> fds = {});
  bool say(wire::ControlKind kind, std::uint32_t number = 0, std::uint64_t value = 0);
  /// The next packet, and what came with it; waits for one.
  wire::Control packet(std::vector<os::Fd>* fds = nullptr);
  wire::ControlKind hear() { return packet().kind; }

  shm::ResultMemory& results() { return *reinterpret_cast<shm::ResultMemory*>(results_.data()); }
  const shm::TaskMemory& tasks() const {
    return *reinterpret_cast<const shm::TaskMemory*>(tasks_.data());
  }
  /// Appends a record and publishes it. Not checked for room.
  void publish(std::uint32_t kind, std::span<const std::byte> payload);
  /// Rings both bells.
  void ring();

  /// By the supervisor, or by itself.
  void die();
  bool dead() const { return dead_; }
  pid_t pid() const { return pid_; }
  int exit_event() const { return exit_.get(); }
  void close_control() { control_.reset(); }

 private:
  pid_t pid_;
  os::Fd control_;
  os::Mapping tasks_;
  os::Mapping results_;
  os::Fd leader_bell_;
  os::Fd background_bell_;
  os::Fd exit_ = os::make_event();
  std::atomic<bool> dead_ = false;
};

/// Launches them. Outlives every launcher.
class RawMachine {
 public:
  std::unique_ptr<supervisor::Launcher> make_launcher();

  /// The oldest that was launched and not given out yet; waits for one.
  std::shared_ptr<RawWorker> next();

  /// Done once, in a turn that has looked at the results and has not read what workers say.
  void between_looks(std::function<void()> act);

 private:
  class Link;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<RawWorker>> fresh_;
  std::vector<std::shared_ptr<RawWorker>> all_;
  std::deque<supervisor::LaunchEvent> events_;
  std::function<void()> between_looks_;
};

}  // namespace procpool::test
