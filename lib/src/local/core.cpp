// How tasks come in, who runs them, and waiting for them.

#include "local/core.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "os/fork.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::local {

using detail::Admission;
using detail::Assignment;
using detail::Batch;
using detail::Chunk;
using detail::Node;
using ledger::Ledger;
using ledger::priority_of;

/// A thread that waits.
struct LocalCore::Sleeper : detail::Waiter {
  std::condition_variable awake;
};

LocalCore::LocalCore(Settings settings)
    : AskedCore(std::move(settings.on_callback_error)),
      wanted_(settings.processes),
      settings_(std::move(settings)),
      generation_(os::fork_generation()) {}

LocalCore::~LocalCore() {
  if (!watch_.joinable()) return;
  if (watch_.get_id() == std::this_thread::get_id()) {
    watch_.detach();
  } else {
    watch_.join();
  }
}

void LocalCore::wake(detail::Waiter& waiter) { static_cast<Sleeper&>(waiter).awake.notify_all(); }

void LocalCore::call_back(std::vector<std::function<void()>> callbacks) {
  callbacks_.post(std::move(callbacks));
}

void LocalCore::check_mine() const {
  if (generation_ != os::fork_generation()) {
    detail::throw_misuse("this pool belongs to the process that made it, not to its forked copy");
  }
}

// ---- in ------------------------------------------------------------------------------------------

/// What may fail is done before the task is taken.
void LocalCore::prepare(const Node& node) {
  check_mine();
  start();
  if (node.options != nullptr && node.options->timeout) start_watch();
  if (node.extras && node.extras->progress) callbacks_.start();
}

void LocalCore::check_open() const {
  if (state_ == State::terminated) throw PoolTerminated("the pool was terminated");
  if (state_ == State::closed) throw PoolClosed("the pool was closed: it takes no more work");
  if (broken_) std::rethrow_exception(end_error());
}

bool LocalCore::submit(Node& node, Admission admission) {
  node.is_batch = false;
  prepare(node);
  const std::size_t bytes = node.payload.size();
  Lock lock(mutex_);
  check_open();
  if (!admit(lock, bytes, admission)) return false;
  accept_node(node);
  node.first = static_cast<std::uint32_t>(ledger_.entered());  // this_task::seed
  ledger_.enter(node, settings_.max_pending_bytes == 0 ? 0 : bytes);
  entered(lock, node);
  return true;
}

void LocalCore::submit_batch(Batch& batch) {
  prepare(batch);
  const std::size_t bytes = batch.elements.total_bytes();
  std::unique_ptr<Chunk> all;
  if (batch.elements.count() != 0) {
    all = std::make_unique<Chunk>(batch);
    all->count = batch.elements.count();
  }
  Lock lock(mutex_);
  check_open();
  admit(lock, bytes, Admission::wait);
  accept_node(batch);
  ledger_.enter_batch(batch, std::move(all), settings_.max_pending_bytes == 0 ? 0 : bytes);
  entered(lock, batch);
}

void LocalCore::accept_node(Node& node) {
  retain();
  node.core = this;
  node.id = detail::next_id();
}

void LocalCore::entered(Lock& lock, Node& node) {
  if (node.done()) return let_go(lock);  // an empty map
  if (node.options != nullptr && node.options->stop.stop_requested()) {
    ledger_.cancel(node);
    node.is_batch ? discard_started(static_cast<Batch&>(node)) : void(ledger_.withdraw(node));
    return let_go(lock);
  }
  make_way(priority_of(node));
  supply(lock, node);
}

/// Back-pressure. A callback never waits, nor does a task of this pool: what they wait for may be
/// behind them.
bool LocalCore::admit(Lock& lock, std::size_t bytes, Admission admission) {
  struct Wish {
    const LocalCore* pool;
    std::size_t bytes;
    bool granted() const {
      const std::size_t pending = pool->ledger_.pending_bytes();
      return pending == 0 || pending + bytes <= pool->settings_.max_pending_bytes ||
             pool->state_ != State::open || pool->broken_;
    }
  };
  if (settings_.max_pending_bytes == 0) return true;
  const Wish wish{this, bytes};
  if (wish.granted() || callbacks_.on_this_thread() || in_own_task()) return true;
  if (admission == Admission::decline) {
    let_go(lock);
    return false;
  }
  wait_until(
      lock, ledger_.room_waiters,
      [](const void* w) { return static_cast<const Wish*>(w)->granted(); }, &wish, never, nullptr);
  check_open();
  return true;
}

bool LocalCore::hold(Node& node, std::size_t bytes, Admission admission) {
  node.is_batch = false;
  prepare(node);
  callbacks_.start();
  Lock lock(mutex_);
  check_open();
  if (!admit(lock, bytes, admission)) return false;
  accept_node(node);
  node.first = static_cast<std::uint32_t>(ledger_.entered());
  ledger_.enter_held(node);
  let_go(lock);
  return true;
}

void LocalCore::release_held(Node& node, std::exception_ptr failed) {
  if (generation_ != os::fork_generation()) return;
  Lock lock(mutex_);
  if (node.done()) return let_go(lock);
  ledger_.release_held(node);
  if (failed) {
    ledger_.take(node);
    ledger_.fail(node, 1, [&failed] { return failed; });
    return let_go(lock);
  }
  make_way(priority_of(node));
  for (auto* w = node.waiters.first; w != nullptr; w = w->next) wake(*w);  // they may help
  supply_later(lock, node);
}

// ---- what is run ---------------------------------------------------------------------------------

/// Large first, small at the tail, where what is left of a share is split off for whoever has nothing.
Assignment* LocalCore::cut(Assignment& waiting) {
  if (!waiting.is_chunk) {
    ledger_.take(waiting);
    return &waiting;
  }
  auto& chunk = static_cast<Chunk&>(waiting);
  const std::uint32_t asked = chunk.batch->chunk;
  const auto share = chunk.count / static_cast<std::uint32_t>(wanted_.load());
  return &ledger_.cut(chunk, asked != 0 ? asked : std::max(share, 1U));
}

/// Half of what nobody has begun of the share that has most of it.
Assignment* LocalCore::split_off(const Node* of) {
  Share* most = nullptr;
  for (Share* const share : running_) {
    if (of != nullptr && &share->node() != of) continue;
    if (share->left() > (most == nullptr ? 0 : most->left())) most = share;
  }
  return most == nullptr ? nullptr : most->take_back(most->left() / 2);
}

Assignment* LocalCore::take_any() {
  if (Assignment* const front = ledger_.front()) return cut(*front);
  return split_off(nullptr);
}

Assignment* LocalCore::take_of(const Node& node) {
  if (Assignment* const waiting = ledger_.waiting_of(node)) return cut(*waiting);
  return split_off(&node);
}

void LocalCore::run(Lock& lock, Assignment& work) {
  Share share(*this, work);
  running_.push_back(&share);
  watch_changed_.notify_all();
  let_go(lock);
  share.run();
  lock.lock();
  std::erase(running_, &share);
  share.finish();
  discard_failed();
}

bool LocalCore::running(const Node& node) {
  if (generation_ != os::fork_generation()) return false;
  const Lock lock(mutex_);
  return std::ranges::any_of(running_, [&](const Share* s) { return &s->node() == &node; });
}

// ---- waiting -------------------------------------------------------------------------------------

/// What is waited for, where it waits itself; something else where that waits for something else.
bool LocalCore::help(Lock& lock, const Node* wanted) {
  Assignment* work = wanted == nullptr ? take_any() : take_of(*wanted);
  if (work == nullptr && wanted != nullptr && wanted->held) work = take_any();
  if (work == nullptr) return false;
  run(lock, *work);
  return true;
}

bool LocalCore::wait_until(Lock& lock, detail::Waiters& among, bool (*satisfied)(const void*),
                           const void* subject, Deadline until, const Node* wanted) {
  Sleeper sleeper;
  sleeper.satisfied = satisfied;
  sleeper.subject = subject;
  among.add(sleeper);
  while (!satisfied(subject)) {
    if (until == never) {
      if (!helps() || !help(lock, wanted)) sleeper.awake.wait(lock);
    } else if (sleeper.awake.wait_until(lock, until) == std::cv_status::timeout) {
      break;
    }
  }
  among.remove(sleeper);
  return satisfied(subject);
}

bool LocalCore::wait(Node& node, detail::Time until) {
  check_mine();
  Lock lock(mutex_);
  const bool done = wait_until(
      lock, node.waiters, [](const void* n) { return static_cast<const Node*>(n)->done(); }, &node,
      until, &node);
  let_go(lock);
  return done;
}

Node* LocalCore::wait_any(detail::CompletionQueue& queue, detail::Time until) {
  check_mine();
  Lock lock(mutex_);
  wait_until(
      lock, queue.waiters,
      [](const void* q) { return !static_cast<const detail::CompletionQueue*>(q)->ready.empty(); },
      &queue, until, nullptr);
  Node* node = nullptr;
  if (!queue.ready.empty()) {
    node = queue.ready.front();
    queue.ready.pop_front();
  }
  let_go(lock);
  return node;
}

// ---- questions -----------------------------------------------------------------------------------

std::vector<pid_t> LocalCore::pids() const {
  check_mine();
  return std::vector<pid_t>(static_cast<std::size_t>(wanted_), os::this_pid());
}

PoolStats LocalCore::stats() const {
  check_mine();
  const Lock lock(mutex_);
  PoolStats stats;
  stats.submitted = ledger_.entered();
  stats.done = ledger_.ended();
  stats.waiting = ledger_.waiting();
  stats.handed = running_.size();
  stats.pending_bytes = ledger_.pending_bytes();
  stats.workers_started = places();
  return stats;
}

}  // namespace procpool::inline v0::local
