#include "os/robust_mutex.hpp"

#include <linux/futex.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/time.hpp"

namespace procpool::inline v0::os {
namespace {

void expect(int error, const char* call) {
  if (error != 0) fail_with(error, call);
}

Taken outcome(int error, const char* call) {
  switch (error) {
    case 0: return Taken::yes;
    case EOWNERDEAD: return Taken::from_the_dead;
    case EBUSY:
    case ETIMEDOUT: return Taken::timeout;
    case EDEADLK: return Taken::mine_already;
    default: fail_with(error, call);
  }
}

// glibc keeps the futex first: the holder's thread id and the kernel's two marks.
std::atomic<std::uint32_t>& word_of(pthread_mutex_t& mutex) noexcept {
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof mutex.__data.__lock);
  return reinterpret_cast<std::atomic<std::uint32_t>&>(mutex.__data.__lock);
}

}  // namespace

void RobustMutex::init(Kind kind) {
  pthread_mutexattr_t attributes;
  expect(::pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutexattr_settype(&attributes, kind == Kind::recursive ? PTHREAD_MUTEX_RECURSIVE
                                                                   : PTHREAD_MUTEX_ERRORCHECK);
  const int error = ::pthread_mutex_init(&mutex_, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  expect(error, "pthread_mutex_init");
}

Taken RobustMutex::lock(Deadline until) {
  if (until == never) return outcome(::pthread_mutex_lock(&mutex_), "pthread_mutex_lock");
  const timespec limit = absolute(until);
  return outcome(::pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &limit),
                 "pthread_mutex_clocklock");
}

Taken RobustMutex::try_lock() {
  return outcome(::pthread_mutex_trylock(&mutex_), "pthread_mutex_trylock");
}

void RobustMutex::repaired() noexcept { ::pthread_mutex_consistent(&mutex_); }
bool RobustMutex::unlock() noexcept { return ::pthread_mutex_unlock(&mutex_) == 0; }

const std::atomic<std::uint32_t>& RobustMutex::word() const noexcept {
  return word_of(const_cast<pthread_mutex_t&>(mutex_));
}
bool RobustMutex::held() const noexcept { return (word() & FUTEX_TID_MASK) != 0; }
bool RobustMutex::held_by_the_dead() const noexcept {
  return (word() & (FUTEX_OWNER_DIED | FUTEX_TID_MASK)) == FUTEX_OWNER_DIED;
}
bool RobustMutex::held_by(pid_t thread) const noexcept {
  return (word() & FUTEX_TID_MASK) == static_cast<std::uint32_t>(thread);
}
void RobustMutex::announce() noexcept { word_of(mutex_) |= FUTEX_WAITERS; }
void RobustMutex::withdraw() noexcept {
  word_of(mutex_) &= static_cast<std::uint32_t>(~FUTEX_WAITERS);
}

}  // namespace procpool::inline v0::os
