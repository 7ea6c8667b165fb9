#include "os/poller.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>

#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/time.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr std::size_t batch = 64;

// Rounded up: a sleeper must not wake before its deadline and spin through the last millisecond.
int milliseconds(const timespec* time) noexcept {
  if (time == nullptr) return -1;
  if (time->tv_sec >= INT_MAX / 1000) return INT_MAX;
  return static_cast<int>(time->tv_sec * 1000 + (time->tv_nsec + 999'999) / 1'000'000);
}

// epoll_pwait2 where the kernel (5.11) and the sandbox have it.
int wait_events(int epoll, epoll_event* events, int room, const timespec* time) {
  static std::atomic<bool> coarse{false};
  if (!coarse) {
    const long ready = ::syscall(SYS_epoll_pwait2, epoll, events, room, time, nullptr, 0);
    if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(ready);
    coarse = true;
  }
  return ::epoll_wait(epoll, events, room, milliseconds(time));
}

}  // namespace

Poller::Poller() : epoll_(guard(Fd(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")))) {}

void Poller::add(int fd, std::uint64_t key, Trigger trigger) {
  epoll_event event{};
  event.events = EPOLLIN | (trigger == Trigger::edge ? unsigned{EPOLLET} : 0U);
  event.data.u64 = key;
  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl(EPOLL_CTL_ADD)");
}

// A descriptor that is closed already has left by itself.
void Poller::remove(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::size_t Poller::wait(std::span<std::uint64_t> keys, Deadline until) {
  std::array<epoll_event, batch> events;
  const auto room = static_cast<int>(std::min(keys.size(), batch));
  const timespec left = until == never ? timespec{} : remaining(until);
  const int ready =
      wait_events(epoll_.get(), events.data(), room, until == never ? nullptr : &left);
  if (ready < 0 && errno == EINTR) return 0;
  check(ready, "epoll_pwait2");
  const auto count = static_cast<std::size_t>(ready);
  for (std::size_t i = 0; i < count; ++i) keys[i] = events[i].data.u64;
  return count;
}

Timer::Timer()
    : timer_(guard(Fd(check(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
                            "timerfd_create")))) {}

// Zero would disarm it: a deadline in the far past is 1 ns after the clock's epoch.
void Timer::set(Deadline due) {
  itimerspec when{};
  if (due != never) {
    when.it_value = absolute(due);
    if (when.it_value.tv_sec == 0) when.it_value.tv_nsec = std::max(when.it_value.tv_nsec, 1L);
  }
  check(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr), "timerfd_settime");
}

}  // namespace procpool::inline v0::os
