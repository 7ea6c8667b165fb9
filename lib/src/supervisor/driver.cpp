#include "supervisor/driver.hpp"

#include <algorithm>
#include <chrono>

#include "os/fork.hpp"

namespace procpool::inline v0::supervisor {

using detail::Waiter;

namespace {

/// While results keep coming that nobody waits for, the background thread looks at them this often
/// instead of being rung for each. Too short: wake-ups compete with workers for processors; too
/// long: callbacks come late.
constexpr auto gathering = std::chrono::microseconds(100);

/// How long a driver sleeps at most while results are awaited: then it looks whether a worker that
/// has overwritten the word by which it says that it sleeps has missed its bell. Too short:
/// wake-ups for nothing; too long: the calls in its hands wait. A pool without calls sleeps without
/// an end.
constexpr auto watch_time = std::chrono::seconds(1);

/// Turns in a row for which a driver keeps the lock when there is always something to see. Too few:
/// a yield for a turn; too many: others wait for the lock, without an end where a worker floods.
constexpr unsigned turns_in_a_row = 16;

bool is_satisfied(const Waiter& waiter) { return waiter.satisfied(waiter.subject); }

}  // namespace

Driver::Driver(Turns& turns, shm::Word64& target)
    : turns_(&turns),
      home_(target),
      leader_kick_(os::guard(os::make_event())),
      background_kick_(os::guard(os::make_event())) {
  leader_poller_->add(leader_kick_.get(), kick_key);
  background_poller_->add(background_kick_.get(), kick_key);
  watch(timer_->fd(), timer_key);
}

bool Driver::wait(std::unique_lock<std::mutex>& lock, Waiter& waiter, detail::Waiters& among,
                  Deadline until) {
  among.add(waiter);
  do {
    if (is_satisfied(waiter) || retired_) break;
    if (leader_ == nullptr) {
      lead(lock, waiter, until);
    } else {
      follow(lock, waiter, until);
    }
  } while (until == never || Clock::now() < until);
  among.remove(waiter);
  // Also when this thread was promoted and found its wish fulfilled, or its time over: leadership
  // goes on.
  if (leader_ == nullptr && !retired_) pass_on();
  return is_satisfied(waiter);
}

void Driver::lead(std::unique_lock<std::mutex>& lock, Waiter& waiter, Deadline until) {
  leader_ = &waiter;
  home_.awake(shm::Sleeper::background);  // this thread is: results need not wake the other
  for (unsigned turns = 1;; ++turns) {
    turns_->turn();
    if (is_satisfied(waiter) || (until != never && Clock::now() >= until)) break;
    if (turns % turns_in_a_row == 0) {
      step_aside(lock);
      if (is_satisfied(waiter)) break;
    }
    const auto look = [&] { return turns_->visible() || is_satisfied(waiter); };
    if (patience_.wait(look, [&] { step_aside(lock); })) continue;
    home_.announce(shm::Sleeper::leader);
    // Stepping aside let the lock go: whoever fulfilled the wish then saw a leader that is awake.
    if (!turns_->visible() && !is_satisfied(waiter)) {
      leader_asleep_ = true;
      sleep_awaiting(lock, *leader_poller_, until);
      leader_asleep_ = false;
    }
    home_.awake(shm::Sleeper::leader);
  }
  leader_ = nullptr;
  home_.announce(shm::Sleeper::background);
  if (retired_) retire();
}

void Driver::retire() {
  retired_ = true;
  if (leader_ != nullptr) return wake(*leader_);
  leader_poller_.reset();
  background_poller_.reset();
  timer_.reset();
  leader_kick_.reset();
  background_kick_.reset();
}

/// Between two looks: others may take the lock, and the processor.
void Driver::step_aside(std::unique_lock<std::mutex>& lock) {
  turns_->let_go(lock);
  os::yield();
  lock.lock();
}

/// To the oldest follower, or else to the background thread, which is announced already.
void Driver::pass_on() {
  Waiter* const next = first_follower_;
  if (next != nullptr) {
    first_follower_ = next->next_follower;
    wake(*next);
  } else if (turns_->visible()) {
    kick_background();
  }
}

void Driver::follow(std::unique_lock<std::mutex>& lock, Waiter& waiter, Deadline until) {
  Waiter** last = &first_follower_;
  while (*last != nullptr) last = &(*last)->next_follower;
  waiter.next_follower = nullptr;
  *last = &waiter;
  waiter.woken = 0;
  turns_->let_go(lock);
  while (waiter.woken == 0 && (until == never || Clock::now() < until)) {
    os::futex_wait(waiter.woken, 0, os::Scope::process, until);
  }
  lock.lock();
  for (Waiter** at = &first_follower_; *at != nullptr; at = &(*at)->next_follower) {
    if (*at != &waiter) continue;
    *at = waiter.next_follower;
    break;
  }
}

void Driver::wake(Waiter& waiter) {
  if (&waiter == leader_) {
    if (leader_asleep_) os::ring(leader_kick_.get());
    return;
  }
  waiter.woken = 1;
  os::futex_wake(waiter.woken, 1, os::Scope::process);
}

void Driver::kick_background() { os::ring(background_kick_.get()); }

void Driver::run_background() {
  std::unique_lock lock(mutex_);
  unsigned awake = 0;  // times that it did not sleep
  while (!turns_->over()) {
    // Not in the way of a submitter that keeps the results flowing itself.
    if (turns_->driven_in_passing() && leader_ == nullptr) {
      sleep(lock, *background_poller_, Clock::now() + gathering);
      continue;
    }
    turns_->turn();
    const bool more = turns_->expects_more();
    if (turns_->do_chore(lock)) continue;
    if (leader_ != nullptr) {
      sleep(lock, *background_poller_, never);  // the leader announces when it leaves
    } else if (more) {
      sleep(lock, *background_poller_, Clock::now() + gathering);
    } else {
      home_.announce(shm::Sleeper::background);
      if (!turns_->visible()) {
        sleep_awaiting(lock, *background_poller_, never);
      } else if (++awake % turns_in_a_row == 0) {
        step_aside(lock);
      }
    }
    home_.awake(shm::Sleeper::background);
  }
  turns_->let_go(lock);
}

void Driver::sleep_awaiting(std::unique_lock<std::mutex>& lock, os::Poller& poller,
                            Deadline until) {
  if (!turns_->awaits_results()) {
    sleep(lock, poller, until);
    return;
  }
  const Deadline watch = Clock::now() + watch_time;
  const bool any = sleep(lock, poller, std::min(until, watch));
  if (!any && Clock::now() >= watch) turns_->watch();
}

/// False: the deadline came, or a signal.
bool Driver::sleep(std::unique_lock<std::mutex>& lock, os::Poller& poller, Deadline until) {
  std::array<std::uint64_t, 64> keys;
  turns_->let_go(lock);
  const std::size_t count = poller.wait(keys, until);
  lock.lock();
  for (std::size_t i = 0; i != count; ++i) {
    if (keys[i] == timer_key) due_ = never;
    if (keys[i] != kick_key) turns_->note(keys[i]);
  }
  return count != 0;
}

void Driver::at(Deadline due) {
  if (due >= due_ || retired_) return;
  due_ = due;
  timer_->set(due);
}

void Driver::watch_bells(int leader_bell, int background_bell, std::uint64_t key) {
  leader_poller_->add(leader_bell, key);
  background_poller_->add(background_bell, key);
}

void Driver::forget_bells(int leader_bell, int background_bell) noexcept {
  leader_poller_->remove(leader_bell);
  background_poller_->remove(background_bell);
}

void Driver::watch(int fd, std::uint64_t key) {
  leader_poller_->add(fd, key);
  background_poller_->add(fd, key);
}

void Driver::forget(int fd) noexcept {
  leader_poller_->remove(fd);
  background_poller_->remove(fd);
}

}  // namespace procpool::inline v0::supervisor
