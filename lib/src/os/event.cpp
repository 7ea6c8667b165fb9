#include "os/event.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/time.hpp"

namespace procpool::inline v0::os {
namespace {

int operation(int op, Scope scope) noexcept {
  return scope == Scope::process ? op | FUTEX_PRIVATE_FLAG : op;
}

}  // namespace

Fd make_event() { return Fd(check(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")); }

bool ring(int event) noexcept {
  const std::uint64_t one = 1;
  const int saved = errno;
  ssize_t written = 0;
  do {
    written = ::write(event, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  const bool rung = written == sizeof one || (written < 0 && errno == EAGAIN);
  errno = saved;
  return rung;
}

bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Scope scope,
                Deadline until) noexcept {
  const timespec limit = absolute(until);
  const long result = ::syscall(SYS_futex, &word, operation(FUTEX_WAIT_BITSET, scope), expected,
                                until == never ? nullptr : &limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0 || errno == EAGAIN || errno == EINTR) return true;
  if (errno == ETIMEDOUT) return false;
  ::sched_yield();  // a sandbox that refuses futex: the caller's loop becomes a polling one
  return Clock::now() < until;
}

void futex_wake(const std::atomic<std::uint32_t>& word, int sleepers, Scope scope) noexcept {
  // Cannot fail for an aligned word in mapped memory.
  ::syscall(SYS_futex, &word, operation(FUTEX_WAKE, scope), sleepers, nullptr, nullptr, 0);
}

void yield() noexcept { ::sched_yield(); }

}  // namespace procpool::inline v0::os
