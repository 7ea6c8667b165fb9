// What nobody wants, what takes too long, and the pool's end.

#include <algorithm>
#include <utility>

#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "base/continuations.hpp"
#include "local/core.hpp"
#include "os/fork.hpp"
#include "os/signals.hpp"
#include "wire/hooks.hpp"

namespace procpool::inline v0::local {

using detail::Assignment;
using detail::Batch;
using detail::LibraryRef;
using detail::Node;
using ledger::priority_of;

// ---- start ---------------------------------------------------------------------------------------

void LocalCore::begin() {
  std::call_once(started_, [this] {
    std::exception_ptr failed;
    try {
      first_ = wire::HookKind::modules;
      wire::run_hook(settings_.modules);
      first_ = wire::HookKind::preload;
      wire::run_hook(settings_.preload);
      first_ = wire::HookKind::initializer;
      start_places();
    } catch (...) {
      failed = std::current_exception();
    }
    const Lock lock(mutex_);
    broken_ = failed;
  });
}

void LocalCore::start() {
  begin();
  const Lock lock(mutex_);
  if (broken_) std::rethrow_exception(end_error());
}

void LocalCore::run_initializer() const { wire::run_hook(settings_.initializer); }

void LocalCore::break_pool(std::exception_ptr cause) {
  if (broken_) return;
  broken_ = std::move(cause);
  end_everything();
}

// ---- cancelling ----------------------------------------------------------------------------------

/// Something as urgent waits now: what is less urgent and has not begun lets it go first.
void LocalCore::make_way(int priority) {
  for (Share* const share : running_) {
    if (priority_of(share->work()) >= priority) continue;
    if (Assignment* const rest = share->take_back(0)) wait_again(*rest);
  }
}

/// It was taken back, and nobody has begun it.
void LocalCore::wait_again(Assignment& work) {
  if (unwanted_) return ledger_.drop(work);
  ledger_.put_back(work);
  offer(work.count);
}

bool LocalCore::cancel(Node& node) {
  if (generation_ != os::fork_generation()) return false;
  const auto kept = LibraryRef<Node>::share(&node);
  Lock lock(mutex_);
  const bool was_done = node.done();
  if (!was_done) {
    ledger_.cancel(node);
    withdraw(node);
    stop_running(node);
  }
  let_go(lock);
  return !was_done;
}

/// It is done; what has not started of it will not.
void LocalCore::withdraw(Node& node) {
  if (node.is_batch) return discard_started(static_cast<Batch&>(node));
  ledger_.withdraw(node);
}

void LocalCore::stop_running(const Node& node) {
  for (Share* const share : running_) {
    if (&share->node() == &node) stops_.push_back(share->request_stop());
  }
}

void LocalCore::discard(Batch& batch) noexcept {
  if (generation_ != os::fork_generation()) return;
  Lock lock(mutex_);
  if (!batch.done()) discard_started(batch);
  let_go(lock);
}

/// Nothing of the batch that has not started will.
void LocalCore::discard_started(Batch& batch) {
  ledger_.discard(batch);
  for (Share* const share : running_) {
    if (&share->node() == &batch) drop_rest(*share);
  }
}

void LocalCore::drop_rest(Share& share) {
  if (Assignment* const rest = share.take_back(0)) ledger_.drop(*rest);
}

void LocalCore::discard_failed() {
  for (const auto& batch : ledger_.take_failed()) discard_started(*batch);
}

void LocalCore::cancel_waiting() {
  check_mine();
  Lock lock(mutex_);
  unwanted_ = true;
  ledger_.cancel_waiting();
  for (Share* const share : running_) drop_rest(*share);
  let_go(lock);
}

// ---- time ----------------------------------------------------------------------------------------

void LocalCore::start_watch() {
  const Lock lock(mutex_);
  if (watch_.joinable() || over_) return;
  retain();
  try {
    sigset_t before;
    const os::SignalsBlocked signals_are_the_programs(before);
    watch_ = std::thread([this] { watch(); });
  } catch (...) {
    release();
    throw;
  }
}

void LocalCore::watch() {
  Lock lock(mutex_);
  while (!over_) {
    Deadline due = never;
    const Deadline now = Clock::now();
    for (Share* const share : running_) due = std::min(due, share->watch(now, stops_));
    discard_failed();
    if (!stops_.empty()) {
      let_go(lock);
      lock.lock();
    } else if (due == never) {
      watch_changed_.wait(lock);
    } else {
      watch_changed_.wait_until(lock, due);
    }
  }
  lock.unlock();
  release();
}

// ---- the end -------------------------------------------------------------------------------------

/// Why what was not done will not be done: a fresh exception for each future.
std::exception_ptr LocalCore::end_error() const {
  try {
    if (!broken_) throw PoolTerminated("the pool was terminated before this task was done");
    const std::string what = "the pool cannot be started: " + wire::hook_failed(first_, broken_);
    try {
      std::rethrow_exception(broken_);
    } catch (...) {
      std::throw_with_nested(PoolBroken(what));
    }
  } catch (...) {
    return std::current_exception();
  }
}

/// Every task that is not done ends now; what runs is asked to stop.
void LocalCore::end_everything() {
  const auto error = [this] { return end_error(); };
  ledger_.fail_waiting(error);
  for (Share* const share : running_) {
    if (Assignment* const rest = share->take_back(0)) ledger_.fail(*rest, rest->count, error);
    share->answer(error);
    stops_.push_back(share->request_stop());
  }
}

void LocalCore::resize(int processes) {
  check_mine();
  begin();
  Lock lock(mutex_);
  check_open();
  resize_places(lock, processes);
  let_go(lock);
}

void LocalCore::check_over() {
  if (over_ || state_ == State::open || ledger_.outstanding() != 0 || active_ != 0) return;
  over_ = true;
  end_places();
  watch_changed_.notify_all();
  wake_all(pool_waiters_);
}

/// A node that goes may take the core with it: nothing of it is touched after that.
void LocalCore::let_go(Lock& lock) {
  check_over();
  auto garbage = ledger_.take_garbage();
  auto stops = std::exchange(stops_, {});
  lock.unlock();
  for (auto& stop : stops) stop.request_stop();
  run_continuations(std::move(garbage.continuations));
}

void LocalCore::close() noexcept {
  if (generation_ != os::fork_generation()) return;
  Lock lock(mutex_);
  if (state_ == State::open) state_ = State::closed;
  wake_all(ledger_.room_waiters);
  let_go(lock);
}

void LocalCore::terminate() {
  check_mine();
  Lock lock(mutex_);
  state_ = State::terminated;
  end_everything();
  wake_all(ledger_.room_waiters);
  let_go(lock);
}

bool LocalCore::join(detail::Time until) {
  check_mine();
  if (callbacks_.on_this_thread() || in_own_task()) {
    detail::throw_misuse("join in a callback or a task of the same pool would wait for itself: call "
                         "it on another thread");
  }
  Lock lock(mutex_);
  if (state_ == State::open) {
    lock.unlock();
    detail::throw_misuse("Pool is still running: call close() or terminate() before join()");
  }
  const bool over = wait_until(
      lock, pool_waiters_, [](const void* self) { return static_cast<const LocalCore*>(self)->over_; },
      this, until, nullptr);
  std::thread watch;
  if (over) watch = std::move(watch_);
  let_go(lock);
  if (watch.joinable()) watch.join();
  if (over) {
    join_places();
    callbacks_.finish();
  }
  return over;
}

void LocalCore::abandon_pool(bool unwinding) noexcept {
  if (generation_ != os::fork_generation()) return;  // a copy: nothing here is this process's
  if (unwinding) {
    terminate();
  } else {
    close();
  }
  if (!callbacks_.on_this_thread() && !in_own_task()) join(never);
  release();
}

}  // namespace procpool::inline v0::local
