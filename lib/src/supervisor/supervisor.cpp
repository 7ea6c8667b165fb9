#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <utility>

#include "base/continuations.hpp"
#include "os/fork.hpp"
#include "supervisor/guarded.hpp"
#include "supervisor/keys.hpp"

namespace procpool::inline v0::supervisor {

using detail::Waiter;

namespace {

os::Fd make_page() { return os::make_memory("procpool-pool", shm::page); }

shm::PoolPage& page_of(const os::Mapping& mapping) {
  return *reinterpret_cast<shm::PoolPage*>(mapping.data());
}

}  // namespace

Supervisor::Supervisor(Settings settings)
    : AskedCore(std::move(settings.on_callback_error)),
      settings_(std::move(settings)),
      generation_(os::fork_generation()),
      page_memory_(os::guard(make_page())),
      page_(page_memory_, os::Access::read_write),
      lifeline_(os::make_lifeline()),
      driver_(*this, page_of(page_).target),
      places_(static_cast<std::size_t>(settings_.processes)),
      processes_(settings_.processes),
      starts_{.most_failures = settings_.max_start_failures},
      slabs_(std::make_shared<channel::SlabStore>(settings_.processes, settings_.reuses_slabs)) {
  page_of(page_).memory_growth = settings_.max_memory_growth;
  page_of(page_).crash_handlers = settings_.crash_handlers;
  oom_kills_explained_ = oom_kills_now();
  os::seal_against_writers(page_memory_);
}

Supervisor::~Supervisor() = default;

/// The launcher and the background thread, without which nothing can start: else the pool is broken.
void Supervisor::begin() try {
  std::shared_ptr<Launcher> launcher = settings_.make_launcher();
  const Lock lock = driver_.hold();  // a pool made before main may be waited for already
  if (launcher->socket() >= 0) driver_.watch(launcher->socket(), key_of(Key::launcher, 0));
  retain();  // the background thread's
  try {
    background_ = std::thread([this] { run_background(); });
  } catch (...) {
    release();
    throw;
  }
  launcher_ = std::move(launcher);
  started_ = starting_ = true;
  attention_ = true;
  driver_.kick_background();
} catch (const std::exception& error) {
  const auto* const nested = dynamic_cast<const std::nested_exception*>(&error);
  Lock lock = driver_.hold();
  break_pool(error.what(), nested == nullptr ? nullptr : nested->nested_ptr());
  let_go(lock);
}

void Supervisor::start() {
  Lock lock = driver_.hold();
  const bool in_vain = state_ != State::open && ledger_.outstanding() == 0;
  if (in_vain) wake_pool_waiters();
  let_go(lock);
  if (in_vain) return;
  begin();
  lock.lock();
  wait_for_pool(
      lock,
      [](const void* self) {
        const auto& pool = *static_cast<const Supervisor*>(self);
        return !pool.broken_.empty() || pool.over_ || pool.all_ready();
      },
      never);
  starting_ = false;
  const bool to_join = over_ || abandoned_;  // closed before it was started
  const std::exception_ptr broken = broken_.empty() ? nullptr : broken_error();
  let_go(lock);
  if (to_join && !broken) join(never);
  if (!broken) return;
  terminate();
  join(never);
  std::rethrow_exception(broken);
}

// ---- turns ---------------------------------------------------------------------------------------

void Supervisor::turn() {
  guarded([this] {
    collect();
    if (attention_ || some_gone_ || (state_ != State::open && !finishing_)) attend();
    dispatch();
  });
}

/// What is not there at every turn.
void Supervisor::attend() {
  attention_ = false;
  if (launcher_seen_ || (launcher_ && launcher_->socket() < 0)) read_launcher();
  for (std::size_t i = 0; i != workers_.size(); ++i) {
    if (workers_[i]->control_seen) read_control(*workers_[i]);
  }
  if (some_gone_) take_back_gone();
  if (memory_due_ != never) give_memory_back();
  reap();
  replace_spent();
  let_idle_go();
  heal();
  watch_times();
  if (state_ != State::open && !finishing_) finish_workers();
  for (auto* w = pool_waiters_.first; w != nullptr; w = w->next) {
    if (w->satisfied(w->subject)) driver_.wake(*w);
  }
}

bool Supervisor::visible() {
  if (attention_) return true;
  const bool work_waits = ledger_.front() != nullptr;
  return std::ranges::any_of(workers_, [this, work_waits](const auto& worker) {
    if (!worker->violation.empty() || worker->dying) return false;
    if (worker->has_announced_crash()) return attention_ = true;
    if (worker->has_told_stack()) return true;
    if (worker->no_room && worker->end.passed_hint() != worker->hint) {
      if (worker->phase == Phase::stopping && !worker->stop_sent) return attention_ = true;
      if (worker->takes_calls() && work_waits) return true;
    }
    if (worker->control_full && worker->end.control_taken() != worker->control_hint &&
        (some_gone_ || work_waits)) {
      return true;
    }
    const bool speaks = !worker->hand.empty() || worker->phase == Phase::initializing;
    return speaks && worker->end.visible();
  });
}

void Supervisor::note(std::uint64_t key) {
  const Key kind = kind_of(key);
  if (kind == Key::bell) return;
  attention_ = true;
  if (kind == Key::launcher) launcher_seen_ = true;
  Worker* const worker = find(ticket_of(key));
  if (worker == nullptr) return;
  if (kind == Key::exit) worker->exit_seen = true;
  if (kind == Key::control) worker->control_seen = true;
}

/// Rings those again that have not begun what was handed to them long ago: stopped ones, and those
/// that sleep although their word says otherwise.
void Supervisor::watch() {
  for (const auto& worker : workers_) {
    const Holding* const next = worker->hand.first();
    if (next == nullptr || !worker->violation.empty()) continue;
    const auto started = worker->end.started(next->sequence, next->count, next->limit);
    if (!started || *started <= next->settled) worker->end.ring_again();
  }
}

/// The pool's state has changed.
void Supervisor::wake_pool_waiters() {
  wake_all(pool_waiters_);
  wake_all(ledger_.room_waiters);
}

void Supervisor::add_chore(std::function<void(Lock&)> chore) {
  chores_.push_back(std::move(chore));
  driver_.kick_background();
}

bool Supervisor::do_chore(Lock& lock) {
  if (chores_.empty()) return false;
  const auto chore = std::move(chores_.front());
  chores_.pop_front();
  guarded([&] {
    try {
      chore(lock);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      throw;
    }
  });
  return true;
}

bool Supervisor::driven_in_passing() {
  return std::exchange(passing_, false) && !attention_ && chores_.empty();
}

void Supervisor::let_go(Lock& lock) {
  Ledger::Garbage garbage = ledger_.take_garbage();
  if (!garbage.slabs.empty()) keep_memory();
  const auto graves = std::exchange(graveyard_, {});
  lock.unlock();
  run_continuations(std::move(garbage.continuations));
}

void Supervisor::call_back(std::vector<std::function<void()>> callbacks) {
  callbacks_.post(std::move(callbacks));
}

}  // namespace procpool::inline v0::supervisor
