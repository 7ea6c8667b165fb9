#pragma once

// What    A monitor in shared memory, robust against the death of anybody at any instruction: a latch,
//         and seats for those who wait or hold something. Semaphore, Condition, Barrier and Queue are
//         ordinary code inside of one.
// Writers Everything: under the latch. A seat's `life` is locked by the thread that sits there, for as
//         long as it does; the kernel marks it when that thread ends. A seat's `wake` is a futex.
// Order   Who changes what others wait for sits down first and gets up last.
//         A waiter writes its seat, leaves the latch and sleeps on its `wake` and on every other
//         seat's `life`. Who changes something writes the state by one store (Committed), then wakes,
//         all inside the latch.
// Death   In the latch: the next one in finds the state as it was before or after one store, and wakes
//         everybody to look again. If nobody comes, nobody has seen that anything changed.
//         In a seat, waiting, woken or holding: the kernel wakes one of those who watch that seat, it
//         wakes the others, and what the dead one held is free. If that one dies too, it sat in a seat
//         itself, which others watch.
// Who watches whom  Everybody who sleeps watches all seats that were ever used, free ones too, and
//         who sits down marks its seat as watched. A seat used for the first time wakes the sleepers.

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/deadline.hpp"
#include "os/event.hpp"
#include "os/robust_mutex.hpp"
#include "shared/shared_memory.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::shared {

using Word = std::atomic<std::uint32_t>;

/// A value that changes by one store: who dies while writing has changed nothing.
template <class T>
class Committed {
 public:
  const T& get() const { return copies_[shm::load_acquire(current_) % 2]; }
  void set(const T& value) {
    const std::uint32_t other = shm::load_hint(current_) + 1;
    copies_[other % 2] = value;
    shm::store_release(current_, other);
  }

 private:
  T copies_[2];
  Word current_;
};

/// Why a waiter goes on. A later reason of higher rank replaces one that was not seen yet.
enum class Reason : std::uint32_t {
  timeout = 0,
  watch,   // there is one more seat to watch: nothing to go on for
  look,    // something changed, or somebody died
  failed,  // what it waited for will not be
  passed,  // what it waited for has happened
};

struct Seat {
  os::RobustMutex life;
  Word wake;              // a Reason; 0 while there is none
  std::uint32_t holds;    // permits, or elements in hand
  std::uint64_t ticket;   // waiters are served in this order; 0: does not wait
  std::uint64_t started;  // when its process was; 0: its thread is the first, which ends with it
  pid_t pid;
  std::uint32_t topic;    // what it waits for
};

/// How many can wait or hold at the same time.
inline constexpr std::uint32_t most_seats = 500;

struct MonitorMemory {
  os::RobustMutex latch;
  Word used;               // seats [0, used) were used at some time
  std::uint32_t deaths;    // holders who died, not told of yet
  std::uint32_t lost;      // waiters who died, not dealt with yet
  std::uint64_t tickets;
  alignas(64) Seat seats[most_seats];
};

class Monitor {
 public:
  static void init(MonitorMemory& memory);

  /// Enters the latch. `place` must have a MonitorMemory at its start.
  explicit Monitor(detail::SharedMemory& place);
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  ~Monitor();

  /// Leaves the latch, sleeps until there is a reason, and enters it again.
  Reason wait(std::uint32_t topic, Deadline until);
  /// The same: from before `first` is done, in the latch, to the end of this object its thread's death
  /// is that of a waiter.
  template <class First>
  Reason wait_after(std::uint32_t topic, Deadline until, First first) {
    Seat& seat = line_up(topic);
    first();
    return sleep(seat, until);
  }
  /// The same; what `first` does, outside of the latch, misses no wake.
  template <class First>
  Reason wait_outside(std::uint32_t topic, Deadline until, First first) {
    Seat& seat = line_up(topic);
    exit();
    try {
      first();
    } catch (...) {
      enter();
      throw;
    }
    enter();
    return sleep(seat, until);
  }

  /// To be called before a change that others may wait for: from here to the end of this object its
  /// thread's death wakes them.
  void about_to_change();
  /// Who waits longest; false: nobody waits who was not woken.
  bool wake_one(std::uint32_t topic);
  void wake_all(std::uint32_t topic, Reason reason = Reason::look);

  /// Clears the seats of the dead and wakes everybody if there were any.
  bool bury();
  /// One holder's death that nobody has been told of.
  bool take_death();
  bool take_lost();

  // What this and other threads hold.
  std::uint64_t held() const;
  void hold_one();
  /// Of this thread's; else of its process's; else of anybody's. False: nobody holds any.
  bool release_one();

 private:
  Seat* mine() const;
  Seat& sit();
  void leave(Seat& seat);
  Seat& line_up(std::uint32_t topic);
  Reason sleep(Seat& seat, Deadline until);
  std::size_t watch_others(const Seat& seat, os::Watched* words);
  Seat* to_release() const;
  void enter();
  void exit();
  void wake(Seat& seat, Reason reason);
  bool bury(Seat& seat);
  std::uint32_t used() const { return shm::load_hint(memory_->used); }

  detail::SharedMemory* place_;
  MonitorMemory* memory_;
  bool inside_ = false;
  Seat* to_leave_ = nullptr;  // at the end
  bool orphans_ = false;  // holders whose thread is gone, but not their process
};

/// The object behind a monitor, which lies at its start.
template <class T>
T& in(detail::SharedMemory& place) {
  return *reinterpret_cast<T*>(place.data());
}

}  // namespace procpool::inline v0::shared
