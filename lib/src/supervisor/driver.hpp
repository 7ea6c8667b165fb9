#pragma once

// What    Who runs the supervisor's turns, and how they sleep and are woken. One lock. A thread that
//         waits for a future leads: it runs turns and sleeps in the leader's epoll. Others that wait
//         follow: they sleep on a word of their own until their wish is fulfilled or they are
//         promoted. Without a leader the background thread runs the turns. Anybody who holds the
//         lock may run a turn in passing (a submitter does).
// Writers Everything here: under the lock. A Waiter's `woken`: whoever wakes it, under the lock.
// Order   A sleeper announces, looks again, and only then lets go of the lock and sleeps
//         (doorbell.hpp). Only the sleeper that announced clears the announcement. A target of
//         `nobody` means that a driver is awake, which will announce before it sleeps.
// Hand-over  A leader that leaves promotes a follower, and in every case announces the background
//         thread and looks again; it wakes it only if work is visible: waking it at every call would
//         double a call's cost. Fulfilling the leader's wish from another thread kicks the leader.
// Death   Threads do not die alone. A forked copy of this object is never used (fork.hpp).
// Model   tests/model/driver.pml.

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <procpool/detail/node.hpp>

#include "base/deadline.hpp"
#include "base/patience.hpp"
#include "os/event.hpp"
#include "os/poller.hpp"
#include "shm/doorbell.hpp"
#include "shm/layout.hpp"

namespace procpool::inline v0::supervisor {

/// What there is to be driven.
class Turns {
 public:
  virtual void turn() = 0;
  /// Whether a turn would find something: the look between announcing and sleeping.
  virtual bool visible() = 0;
  /// A descriptor that was watched under this key is ready.
  virtual void note(std::uint64_t key) = 0;
  /// Work for the background thread outside the lock, one piece at a time; false: there was none.
  virtual bool do_chore(std::unique_lock<std::mutex>& lock) = 0;
  /// Whether the last turn found results and more are awaited.
  virtual bool expects_more() const = 0;
  /// Whether a submitter has looked at the results in passing since the last time this was asked,
  /// and nothing else is to be looked at.
  virtual bool driven_in_passing() = 0;
  /// Whether any worker has something to do.
  virtual bool awaits_results() const = 0;
  /// A driver has slept for long while results are awaited: whoever should work may have missed its
  /// bell.
  virtual void watch() = 0;
  /// Whether the background thread may end.
  virtual bool over() const = 0;
  /// Lets the lock go, and then what was put aside to be freed.
  virtual void let_go(std::unique_lock<std::mutex>& lock) = 0;

 protected:
  ~Turns() = default;
};

class Driver {
 public:
  Driver(Turns& turns, shm::Word64& target);

  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }

  /// Runs turns or sleeps until `waiter` is satisfied. False: the deadline came first.
  bool wait(std::unique_lock<std::mutex>& lock, detail::Waiter& waiter, detail::Waiters& among,
            Deadline until);
  /// Under the lock: what this waiter waits for has happened.
  void wake(detail::Waiter& waiter);

  /// The background thread's life.
  void run_background();
  /// Under the lock: the background thread has something to do now.
  void kick_background();

  void watch_bells(int leader_bell, int background_bell, std::uint64_t key);
  void forget_bells(int leader_bell, int background_bell) noexcept;
  /// Seen by both sleepers.
  void watch(int fd, std::uint64_t key);
  void forget(int fd) noexcept;
  /// Under the lock, when nothing will ever be waited for again: closes what drivers sleep on, now
  /// or when the last leader leaves.
  void retire();
  /// Something is due then. Earlier calls of `at` stand until they are due.
  void at(Deadline due);

 private:
  static constexpr std::uint64_t kick_key = ~std::uint64_t{0};
  static constexpr std::uint64_t timer_key = kick_key - 1;  // noted, too

  void lead(std::unique_lock<std::mutex>& lock, detail::Waiter& waiter, Deadline until);
  void follow(std::unique_lock<std::mutex>& lock, detail::Waiter& waiter, Deadline until);
  void step_aside(std::unique_lock<std::mutex>& lock);
  void pass_on();
  bool sleep(std::unique_lock<std::mutex>& lock, os::Poller& poller, Deadline until);
  void sleep_awaiting(std::unique_lock<std::mutex>& lock, os::Poller& poller, Deadline until);

  std::mutex mutex_;
  Turns* turns_;
  shm::HomeBell<shm::Word64> home_;
  std::optional<os::Poller> leader_poller_{std::in_place};
  std::optional<os::Poller> background_poller_{std::in_place};
  os::Fd leader_kick_;
  os::Fd background_kick_;
  std::optional<os::Timer> timer_{std::in_place};
  Deadline due_ = never;

  detail::Waiter* leader_ = nullptr;
  bool leader_asleep_ = false;
  Patience patience_;  // of leaders
  bool retired_ = false;
  detail::Waiter* first_follower_ = nullptr;  // oldest first
};

}  // namespace procpool::inline v0::supervisor
