#include "os/event.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>

#include "os/error.hpp"
#include "os/time.hpp"

namespace procpool::inline v0::os {
namespace {

// As the kernel has them; the C library's headers may be older.
struct Waitv {
  std::uint64_t value;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};
constexpr std::uint32_t futex2_size_u32 = 2;
constexpr long syscall_futex_waitv = 449;
/// How long to sleep where only one word can be watched. Too short: a sleeper costs processor time;
/// too long: a death is noticed late.
constexpr auto look_yourself = std::chrono::milliseconds(20);

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

bool futex_wait_any(std::span<const Watched> words, Deadline until) noexcept {
  std::array<Waitv, most_watched> all;
  const std::size_t count = std::min(words.size(), all.size());
  for (std::size_t i = 0; i != count; ++i) {
    all[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(words[i].word), futex2_size_u32, 0};
  }
  const timespec limit = absolute(until);
  const long result = ::syscall(syscall_futex_waitv, all.data(), count, 0,
                                until == never ? nullptr : &limit, CLOCK_MONOTONIC);
  if (result >= 0 || errno == EAGAIN || errno == EINTR) return true;
  if (errno == ETIMEDOUT) return false;
  const Deadline soon = Clock::now() + look_yourself;
  return futex_wait(*words[0].word, words[0].expected, Scope::shared, std::min(until, soon)) ||
         Clock::now() < until;
}

void futex_set_and_wake(std::atomic<std::uint32_t>& word, unsigned set) noexcept {
  const std::uint32_t operation = FUTEX_OP(FUTEX_OP_OR, set, FUTEX_OP_CMP_LT, 0);
  if (::syscall(SYS_futex, &word, FUTEX_WAKE_OP, INT_MAX, nullptr, &word, operation) >= 0) return;
  word |= set;  // a sandbox that refuses it
  futex_wake(word, INT_MAX, Scope::shared);
}

void yield() noexcept { ::sched_yield(); }

}  // namespace procpool::inline v0::os
