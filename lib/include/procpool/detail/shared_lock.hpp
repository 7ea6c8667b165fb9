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

/// What Lock and RLock can do; H is the one or the other. Every member from any thread of any process.
template <class H, bool recursive>
class LockHandle : public detail::SharedHandle<H> {
 public:
  /// Waits for it. Throws OwnerDied; Misuse if this thread has it already (a Lock) or the handle is
  /// empty.
  void lock() { detail::acquire_lock(this->state(), detail::forever); }
  /// False: somebody has it. Throws OwnerDied.
  bool try_lock() { return detail::acquire_lock(this->state(), detail::Time()); }
  ///@{

  /// False: the time was over before it was free. Throws OwnerDied.
  template <class Rep, class Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    return detail::acquire_lock(this->state(), detail::time_after(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    return detail::acquire_lock(this->state(), detail::time_at(t));
  }
  ///@}
  /// Throws Misuse if this thread does not have it.
  void unlock() { detail::release_lock(this->state()); }

 protected:
  /// \private
  LockHandle()
      : detail::SharedHandle<H>([](auto type) { return detail::make_lock(recursive, type); }) {}
};

/// A mutex between processes. As std::timed_mutex is (TimedLockable: std::scoped_lock works): the thread
/// that locked it unlocks it; a lock that is still held when its task ends stays held by that worker.
///
/// If the holder's process or thread ends, however, one who wants the lock is told by OwnerDied. That
/// one does not hold it; what it protects may be half changed; the next attempt succeeds.
///
/// multiprocessing.Lock (Python 3.14), except that Python's may be released by anybody, and hangs for
/// ever when its holder dies.
class Lock : public LockHandle<Lock, false> {
 public:
  /// A new lock, free. Throws std::system_error when the machine has no memory or descriptors left.
  Lock() = default;
};

/// As Lock, for threads that lock what they have locked already: it is free after as many unlocks.
/// multiprocessing.RLock (Python 3.14).
class RLock : public LockHandle<RLock, true> {
 public:
  /// A new lock, free. Throws std::system_error when the machine has no memory or descriptors left.
  RLock() = default;
};

/// One value that several processes change, one at a time. T is trivially copyable and holds no
/// pointers. Nobody ever sees a value half written: who dies while writing has changed nothing.
/// multiprocessing.Value (Python 3.14), whose `value += 1` loses increments; update(f) does not.
/// Every member from any thread of any process.
template <class T>
class SharedValue : public detail::SharedHandle<SharedValue<T>> {
  static_assert(!std::is_const_v<T> && detail::check_shareable<T>());
  static_assert(std::is_default_constructible_v<T>,
                "SharedValue<T>: give T a default constructor");
  using Base = detail::SharedHandle<SharedValue<T>>;

 public:
  using value_type = T;  ///< what it is a value of

  /// A new value, all bytes zero. Throws std::system_error when the machine has no memory or
  /// descriptors left.
  SharedValue() : Base([](auto type) { return detail::make_value(sizeof(T), type); }) {}
  /// A new value, this one.
  explicit SharedValue(const T& value) : SharedValue() { store(value); }

  using Base::load;
  /// A copy of the value as it is now. Waits while somebody updates it.
  T load() const {
    alignas(T) std::byte bytes[sizeof(T)];
    detail::load_value(this->state(), bytes);
    return reinterpret_cast<const T&>(bytes);
  }
  /// Makes this the value. Waits while somebody updates it.
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
