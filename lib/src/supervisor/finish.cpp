// The pool's end: closed, terminated, broken, joined, abandoned.

#include <algorithm>
#include <utility>

#include "os/advice.hpp"
#include "os/fork.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

std::string Supervisor::broken_text() const {
  return "the pool's workers cannot be started: " + broken_;
}

/// With what the initializer threw, if that is the reason, nested in it.
std::exception_ptr Supervisor::broken_error() const {
  try {
    if (!broken_cause_) throw PoolBroken(broken_text());
    try {
      std::rethrow_exception(broken_cause_);
    } catch (...) {
      std::throw_with_nested(PoolBroken(broken_text()));
    }
  } catch (...) {
    return std::current_exception();
  }
}

/// Why what was not done will not be done: a fresh exception for each future.
std::exception_ptr Supervisor::end_error() const {
  if (!broken_.empty()) return broken_error();
  return std::make_exception_ptr(PoolTerminated("the pool was terminated before this task was done"));
}

void Supervisor::close() noexcept {
  if (generation_ != os::fork_generation()) return;
  Lock lock = driver_.hold();
  if (state_ == State::open) state_ = State::closed;
  wake_pool_waiters();
  attention_ = true;
  driver_.kick_background();
  let_go(lock);
}

/// Marks; the background thread's next turn does the rest, so that this can be called anywhere.
void Supervisor::terminate() {
  check_mine();
  Lock lock = driver_.hold();
  state_ = State::terminated;
  end_everything();
  wake_pool_waiters();
  attention_ = true;
  driver_.kick_background();
  let_go(lock);
}

/// Every task that is not done ends now; workers that may run one are killed.
void Supervisor::end_everything() {
  slabs_->stop_reuse();
  const auto error = [this] { return end_error(); };
  ledger_.fail_waiting(error);
  for (const auto& worker : workers_) {
    collect_from(*worker);
    worker->hand.each([&](Holding& holding) {
      detail::Assignment& work = *holding.work;
      const std::uint32_t left = holding.limit - holding.settled;
      worker->hand.close(holding);
      ledger_.fail(work, left, error);
    });
    if (worker->pidfd) kill(*worker);
  }
}

/// Of a hook that threw its author knows.
std::string Supervisor::what_to_do(const std::string& why) const {
  const std::string advice = os::advice_on(why);
  if (!advice.empty() || broken_cause_ || !settings_.foreign_workers) return advice;
  return "; set PoolOptions::worker_executable to a program whose main begins with "
         "procpool::init(argc, argv), procpool-worker for one";
}

void Supervisor::break_pool(const std::string& why, std::exception_ptr cause) {
  if (!broken_.empty()) return;
  broken_cause_ = std::move(cause);
  broken_ = (why.empty() ? "unknown" : why) + what_to_do(why);
  end_everything();
  wake_pool_waiters();
}

/// Closed and all done, or terminated: the workers go, then the template, then this thread.
void Supervisor::finish_workers() {
  if (ledger_.outstanding() != 0) return;
  for (const auto& worker : workers_) {
    if (worker->phase != Phase::stopping) retire(*worker);
    send_stop(*worker);
  }
  if (!workers_.empty() || starts_under_way_ != 0) return;
  finishing_ = true;
  add_chore([this](Lock& lock) {
    const std::shared_ptr<Launcher> launcher = std::move(launcher_);
    lock.unlock();
    if (launcher) launcher->finish();
    lock.lock();
    over_ = true;
    wake_pool_waiters();
  });
}

/// Futures may keep this object for long; what it held of the system goes now.
void Supervisor::run_background() {
  driver_.run_background();
  stop_giving();
  slabs_->close();
  {
    const Lock lock = driver_.hold();
    driver_.retire();
    page_memory_.reset();
    lifeline_ = {};
  }
  release();
}

/// Nothing of it runs, nor ever will.
bool Supervisor::ended() const { return over_ || (!started_ && ledger_.outstanding() == 0); }

bool Supervisor::join(Deadline until) {
  check_mine();
  if (callbacks_.on_this_thread()) {
    detail::throw_misuse("join in a callback of the same pool would wait for itself: call it on "
                         "another thread");
  }
  Lock lock = driver_.hold();
  if (state_ == State::open) {
    lock.unlock();
    detail::throw_misuse("Pool is still running: call close() or terminate() before join()");
  }
  const auto ended = [](const void* self) { return static_cast<const Supervisor*>(self)->ended(); };
  if (!ended(this)) check_waits(until);
  wait_for_pool(lock, ended, until);
  const bool over = ended(this);
  std::thread background;
  if (over) background = std::move(background_);
  let_go(lock);
  if (background.joinable()) background.join();
  if (over) callbacks_.finish();
  return over;
}

/// What was accepted by a pool that has not been started yet runs when `start` comes, which joins then.
void Supervisor::abandon_pool(bool unwinding) noexcept {
  if (settings_.inert || generation_ != os::fork_generation()) return;  // nothing of it is here
  if (unwinding) {
    terminate();
  } else {
    close();
  }
  const bool may_join = !callbacks_.on_this_thread();
  Lock lock = driver_.hold();
  abandoned_ = true;
  const bool started = started_;
  if (!may_join && background_.joinable()) background_.detach();
  let_go(lock);
  if (may_join && started) join(never);
  release();
}

}  // namespace procpool::inline v0::supervisor
