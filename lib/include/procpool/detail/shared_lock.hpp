#pragma once

// Lock, RLock, SharedValue.

#include <procpool/detail/shared_handle.hpp>

#include <chrono>
#include <cstring>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {
namespace detail {

MemoryRef make_lock(bool recursive, StateType type);
/// False: the deadline came first. Throws OwnerDied; Misuse for a lock that this thread has already.
bool acquire_lock(SharedMemory& lock, Time until);
void release_lock(SharedMemory& lock);

MemoryRef make_value(std::size_t bytes, StateType type);
void load_value(SharedMemory& value, std::span<std::byte> to);
/// Enters, calls `change(context, old bytes, new bytes)`, and makes the new ones the value at once.
void update_value(SharedMemory& value, std::size_t bytes,
                  void (*change)(void* context, const std::byte* from, std::byte* to),
                  void* context);

}  // namespace detail

/// A mutex between processes. As std::timed_mutex is (TimedLockable: std::scoped_lock works): the
/// thread that locked it unlocks it; a lock that is still held when its task ends stays held by that
/// worker. Every member from any thread of any process.
///
/// If the holder's process or thread ends, however, one who wants the lock is told by OwnerDied. That
/// one does not hold it; what it protects may be half changed; the next attempt succeeds.
///
/// multiprocessing.Lock (Python 3.14), except that Python's may be released by anybody, and hangs for
/// ever when its holder dies.
class Lock : public detail::SharedHandle<Lock> {
 public:
  Lock() : SharedHandle([](auto type) { return detail::make_lock(false, type); }) {}

  /// Throws OwnerDied; Misuse if this thread has it already.
  void lock() { detail::acquire_lock(state(), detail::forever); }
  /// False: somebody has it. Throws OwnerDied.
  bool try_lock() { return detail::acquire_lock(state(), detail::Time()); }
  template <class Rep, class Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    return detail::acquire_lock(state(), detail::time_after(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    return try_lock_for(t - Clock::now());
  }
  /// Throws Misuse if this thread does not have it.
  void unlock() { detail::release_lock(state()); }
};

/// The same, for threads that lock what they have locked already: it is free after as many unlocks.
/// multiprocessing.RLock (Python 3.14).
class RLock : public detail::SharedHandle<RLock> {
 public:
  RLock() : SharedHandle([](auto type) { return detail::make_lock(true, type); }) {}

  void lock() { detail::acquire_lock(state(), detail::forever); }
  bool try_lock() { return detail::acquire_lock(state(), detail::Time()); }
  template <class Rep, class Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    return detail::acquire_lock(state(), detail::time_after(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    return try_lock_for(t - Clock::now());
  }
  void unlock() { detail::release_lock(state()); }
};

/// One value that several processes change, one at a time. T is trivially copyable and holds no
/// pointers. Nobody ever sees a value half written: who dies while writing has changed nothing.
/// multiprocessing.Value (Python 3.14), whose `value += 1` loses increments; update(f) does not.
template <class T>
class SharedValue : public detail::SharedHandle<SharedValue<T>> {
  static_assert(!std::is_const_v<T> && detail::check_shareable<T>());
  static_assert(std::is_default_constructible_v<T>,
                "SharedValue<T>: give T a default constructor");
  using Base = detail::SharedHandle<SharedValue<T>>;

 public:
  using value_type = T;

  /// All bytes zero.
  SharedValue() : Base([](auto type) { return detail::make_value(sizeof(T), type); }) {}
  explicit SharedValue(const T& value) : SharedValue() { store(value); }

  using Base::load;
  T load() const {
    alignas(T) std::byte bytes[sizeof(T)];
    detail::load_value(this->state(), bytes);
    return reinterpret_cast<const T&>(bytes);
  }
  void store(const T& value) {
    update([&value](const T&) { return value; });
  }
  /// Makes f(value) the value, with nobody else in between; returns it. What f throws changes
  /// nothing. f must not use this value itself (Misuse), and be short: others wait.
  template <class F>
  T update(F&& f) {
    static_assert(std::is_invocable_r_v<T, F&, const T&>,
                  "update(f): f takes the old value and returns the new one");
    struct Context {
      F& f;
      T result;
    } context{f, {}};
    detail::update_value(
        this->state(), sizeof(T),
        [](void* raw, const std::byte* from, std::byte* to) {
          auto& call = *static_cast<Context*>(raw);
          call.result = call.f(reinterpret_cast<const T&>(*from));
          std::memcpy(to, &call.result, sizeof(T));
        },
        &context);
    return context.result;
  }
};

}  // namespace procpool::inline v0
