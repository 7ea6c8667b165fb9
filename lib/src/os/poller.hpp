#pragma once

// epoll and timerfd: where the supervisor's two sleepers sleep.

#include <cstdint>
#include <span>

#include "base/deadline.hpp"
#include "os/fd.hpp"

namespace procpool::inline v0::os {

class Poller {
 public:
  enum class Trigger { edge, level };

  Poller();
  void add(int fd, std::uint64_t key, Trigger trigger = Trigger::edge);
  void remove(int fd) noexcept;
  /// Sleeps until something is ready or the deadline; returns how many keys were written.
  /// 0 means the deadline passed or a signal came: callers look again.
  std::size_t wait(std::span<std::uint64_t> keys, Deadline until = never);
  int fd() const noexcept { return epoll_.get(); }

 private:
  Fd epoll_;
};

/// One monotonic timer. Set from any thread; readable (edge) when due.
class Timer {
 public:
  Timer();
  void set(Deadline due);  // never: disarmed
  int fd() const noexcept { return timer_.get(); }

 private:
  Fd timer_;
};

}  // namespace procpool::inline v0::os
