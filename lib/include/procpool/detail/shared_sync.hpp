#pragma once

// Event, Semaphore, BoundedSemaphore, Condition, Barrier.

#include <procpool/detail/shared_handle.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace procpool::inline v0 {
namespace detail {

MemoryRef make_event(StateType type);
bool event_is_set(const SharedMemory& event) noexcept;
void set_event(SharedMemory& event) noexcept;
void clear_event(SharedMemory& event) noexcept;
bool wait_event(SharedMemory& event, Time until) noexcept;

MemoryRef make_semaphore(std::int64_t permits, bool bounded, StateType type);
bool acquire_permit(SharedMemory& semaphore, Time until);
void release_permits(SharedMemory& semaphore, std::int64_t count);
std::uint64_t permits(SharedMemory& semaphore);

MemoryRef make_condition(StateType type);
void notify(SharedMemory& condition, std::size_t count);
/// Notes that it waits, calls `unlock(context)`, waits. False: the deadline came first.
bool wait_condition(SharedMemory& condition, Time until, void (*unlock)(void*), void* context);

MemoryRef make_barrier(std::int64_t parties, StateType type);
struct BarrierPicture {
  std::size_t parties, waiting;
  bool broken;
};
std::size_t arrive(SharedMemory& barrier, Time until);
void break_barrier(SharedMemory& barrier);
void reset_barrier(SharedMemory& barrier);
BarrierPicture look_at_barrier(SharedMemory& barrier);

/// A count that the caller may have written in any integral type.
template <std::integral I>
std::int64_t as_count(I n) {
  return std::in_range<std::int64_t>(n) ? static_cast<std::int64_t>(n) : INT64_MAX;
}

}  // namespace detail

/// A flag that processes wait for. Who waits when it is set goes on, even if it is cleared again at
/// once. A process's death changes nothing here. Every member from any thread of any process.
/// multiprocessing.Event (Python 3.14).
class Event : public detail::SharedHandle<Event> {
 public:
  /// A new event, not set. Throws std::system_error when the machine has no memory or descriptors left.
  Event() : SharedHandle([](auto type) { return detail::make_event(type); }) {}

  /// Whether it is set now.
  bool is_set() const { return detail::event_is_set(state()); }
  /// Sets it: everybody who waits goes on.
  void set() { detail::set_event(state()); }
  /// Who waits from now on waits for the next `set`.
  void clear() { detail::clear_event(state()); }
  /// Until it is set.
  void wait() const { detail::wait_event(state(), detail::forever); }
  /// False: the time was over first.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> d) const {
    return detail::wait_event(state(), detail::time_after(d));
  }
};

/// What Semaphore and BoundedSemaphore can do; H is the one or the other. Every member from any thread of
/// any process. At most 500 threads wait or hold permits at once, else Misuse.
template <class H, bool bounded>
class SemaphoreHandle : public detail::SharedHandle<H> {
 public:
  /// Takes a permit, waiting for it. Throws OwnerDied.
  void acquire() { detail::acquire_permit(this->state(), detail::forever); }
  /// False: there is none now. Throws OwnerDied.
  bool try_acquire() { return detail::acquire_permit(this->state(), detail::Time()); }
  /// False: the time was over before there was one. Throws OwnerDied.
  template <class Rep, class Period>
  bool try_acquire_for(std::chrono::duration<Rep, Period> d) {
    return detail::acquire_permit(this->state(), detail::time_after(d));
  }
  /// Gives `count` permits back, or, of a Semaphore, more than were taken. Throws Misuse for less than
  /// one, and beyond what a BoundedSemaphore was made with (else 2,147,483,647).
  template <std::integral I = int>
  void release(I count = 1) {
    detail::release_permits(this->state(), detail::as_count(count));
  }
  /// Permits that are free.
  std::uint64_t value() const { return detail::permits(this->state()); }

 protected:
  /// \private
  explicit SemaphoreHandle(std::int64_t permits)
      : detail::SharedHandle<H>([permits](auto type) {
          return detail::make_semaphore(permits, bounded, type);
        }) {}
};

/// Permits: acquire takes one, waiting for it; release gives some back. Anybody may release.
/// multiprocessing.Semaphore (Python 3.14).
///
/// The permits a process holds when it dies come back: those it took of the permits the semaphore
/// was made with. (A permit beyond those is a signal: who takes it has used it up.) One who acquires
/// is told by OwnerDied, once for each holder, and has taken nothing then.
class Semaphore : public SemaphoreHandle<Semaphore, false> {
 public:
  /// Throws Misuse for less than 0 or more than 2,147,483,647 permits.
  template <std::integral I = int>
  explicit Semaphore(I permits = 1) : SemaphoreHandle(detail::as_count(permits)) {}
};

/// As Semaphore; a release beyond the permits it was made with is Misuse.
/// multiprocessing.BoundedSemaphore (Python 3.14).
class BoundedSemaphore : public SemaphoreHandle<BoundedSemaphore, true> {
 public:
  /// Throws Misuse for less than 0 or more than 2,147,483,647 permits.
  template <std::integral I = int>
  explicit BoundedSemaphore(I permits = 1) : SemaphoreHandle(detail::as_count(permits)) {}
};

/// Waiting until something changed, between processes: as std::condition_variable_any, with anything
/// that has lock() and unlock(), normally a std::unique_lock<Lock>. A notification goes to one who
/// lives: if the chosen one dies, to the next. Who waits may go on without one, too.
/// multiprocessing.Condition (Python 3.14), whose lock is a part of it. No std::stop_token ends a wait, as
/// none crosses a process: set a flag that the predicate looks at, and notify. Every member from any
/// thread of any process. At most 500 threads wait at once, else Misuse.
class Condition : public detail::SharedHandle<Condition> {
 public:
  /// A new condition. Throws std::system_error when the machine has no memory or descriptors left.
  Condition() : SharedHandle([](auto type) { return detail::make_condition(type); }) {}

  ///@{

  /// Lets one who waits go on; all of them; n of them (Python's notify(n)). Where nobody waits
  /// nothing happens.
  void notify_one() { detail::notify(state(), 1); }
  void notify_all() { detail::notify(state(), SIZE_MAX); }
  void notify(std::size_t n) { detail::notify(state(), n); }
  ///@}

  ///@{

  /// Lets the lock go and waits for a notification; with a predicate, again until that says true. The
  /// lock is held again afterwards, unless that throws OwnerDied.
  template <class L>
  void wait(L& lock) {
    wait_until_time(lock, detail::forever);
  }
  template <class L, std::predicate P>
  void wait(L& lock, P done) {
    while (!done()) wait(lock);
  }
  ///@}
  ///@{

  /// The same for at most `d`. False: the time was over first; with a predicate: what that says in the
  /// end.
  template <class L, class Rep, class Period>
  bool wait_for(L& lock, std::chrono::duration<Rep, Period> d) {
    return wait_until_time(lock, detail::time_after(d));
  }
  template <class L, class Rep, class Period, std::predicate P>
  bool wait_for(L& lock, std::chrono::duration<Rep, Period> d, P done) {
    return wait_until_time(lock, detail::time_after(d), done);
  }
  /// Until `t` at the latest, a time of any clock; how far off it is is asked once.
  template <class L, class Clock, class Duration>
  bool wait_until(L& lock, std::chrono::time_point<Clock, Duration> t) {
    return wait_until_time(lock, detail::time_at(t));
  }
  template <class L, class Clock, class Duration, std::predicate P>
  bool wait_until(L& lock, std::chrono::time_point<Clock, Duration> t, P done) {
    return wait_until_time(lock, detail::time_at(t), done);
  }
  ///@}

 private:
  template <class L, class P>
  bool wait_until_time(L& lock, detail::Time until, P& done) {
    while (!done()) {
      if (!wait_until_time(lock, until)) return done();
    }
    return true;
  }
  template <class L>
  bool wait_until_time(L& lock, detail::Time until) {
    const bool notified = detail::wait_condition(
        state(), until, [](void* l) { static_cast<L*>(l)->unlock(); }, &lock);
    lock.lock();
    return notified;
  }
};

/// Where a number of parties wait for each other, again and again. When one cannot come any more (it
/// timed out, or died while it waited) the barrier is broken: everybody who waits or comes gets
/// BrokenBarrier until it is reset. Every member from any thread of any process.
/// multiprocessing.Barrier (Python 3.14), without its action.
class Barrier : public detail::SharedHandle<Barrier> {
 public:
  /// A new barrier. Throws Misuse for less than 1 or more than 500 parties, std::system_error when the
  /// machine has no memory or descriptors left.
  template <std::integral I>
  explicit Barrier(I parties)
      : SharedHandle([parties](auto type) {
          return detail::make_barrier(detail::as_count(parties), type);
        }) {}
  /// One party, who never waits.
  Barrier() : Barrier(1) {}

  /// Waits for the others. Returns which one this party was, from 0 in order of arrival. Throws
  /// BrokenBarrier.
  std::size_t arrive_and_wait() { return detail::arrive(state(), detail::forever); }
  /// The same for at most `d`: when that is over the barrier is broken, and BrokenBarrier thrown.
  template <class Rep, class Period>
  std::size_t arrive_and_wait_for(std::chrono::duration<Rep, Period> d) {
    return detail::arrive(state(), detail::time_after(d));
  }
  /// Breaks it: who waits or comes gets BrokenBarrier.
  void abort() { detail::break_barrier(state()); }
  /// Makes it whole. Who waits now gets BrokenBarrier.
  void reset() { detail::reset_barrier(state()); }
  /// Whether it is broken now.
  bool broken() const { return detail::look_at_barrier(state()).broken; }
  /// How many it waits for.
  std::size_t parties() const { return detail::look_at_barrier(state()).parties; }
  /// How many of them wait now. (Python: n_waiting)
  std::size_t waiting() const { return detail::look_at_barrier(state()).waiting; }
};

}  // namespace procpool::inline v0
