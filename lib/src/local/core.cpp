// How tasks come in, and who runs them.

#include "local/core.hpp"

#include <algorithm>
#include <utility>

#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "os/fork.hpp"

namespace procpool::inline v0::local {

using detail::Admission;
using detail::Assignment;
using detail::Batch;
using detail::Chunk;
using detail::Node;
using ledger::Ledger;
using ledger::priority_of;

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
  if (node.options != nullptr && node.options->soft_timeout) {
    detail::throw_misuse("TaskOptions::soft_timeout needs worker processes, and this pool has none: "
                         "leave it empty, or use Backend::process");
  }
  begin();
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
  batch.elements.keep();  // a task that nobody waits for any more may still read them
  const std::size_t bytes = batch.elements.total_bytes();
  auto all = Ledger::whole(batch);
  Lock lock(mutex_);
  check_open();
  admit(lock, bytes, Admission::wait);
  accept_node(batch);
  ledger_.enter_batch(batch, std::move(all), settings_.max_pending_bytes == 0 ? 0 : bytes);
  entered(lock, batch);
}

void LocalCore::entered(Lock& lock, Node& node) {
  if (node.done()) return let_go(lock);  // an empty map
  if (node.options != nullptr && node.options->stop.stop_requested()) {
    ledger_.cancel(node);
    withdraw(node);
    return let_go(lock);
  }
  make_way(priority_of(node));
  supply(lock, node);
}

bool LocalCore::has_room_for(std::size_t bytes) const {
  const std::size_t pending = ledger_.pending_bytes();
  return pending == 0 || pending + bytes <= settings_.max_pending_bytes;
}

/// Back-pressure, first come first served. A callback never waits, nor does a task of this pool: what
/// they wait for may be behind them.
bool LocalCore::admit(Lock& lock, std::size_t bytes, Admission admission) {
  struct Submitter {
    const LocalCore* pool;
    std::size_t bytes;
    static bool satisfied(const void* submitter) {
      const auto& [pool, bytes] = *static_cast<const Submitter*>(submitter);
      return (pool->submitters_.front() == submitter && pool->has_room_for(bytes)) ||
             pool->state_ != State::open || pool->broken_;
    }
  };
  if (settings_.max_pending_bytes == 0 || callbacks_.in_one() || in_own_task()) return true;
  if (submitters_.empty() && has_room_for(bytes)) return true;
  if (admission == Admission::decline) {
    let_go(lock);
    return false;
  }
  const Submitter self{this, bytes};
  submitters_.push_back(&self);
  wait_until(lock, ledger_.room_waiters, Submitter::satisfied, &self, never, nullptr);
  std::erase(submitters_, &self);
  wake_all(ledger_.room_waiters);  // the next in the line
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
  wake_all(node.waiters);  // they may help
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

void LocalCore::offer(std::size_t work) {
  call_places(work);
  for (detail::Waiter* const helper : helpers_) wake(*helper);
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
  {
    Share share(*this, work);
    running_.push_back(&share);
    if (ledger::has_timeout(work)) watch_changed_.notify_all();
    let_go(lock);
    share.run();
    lock.lock();
    std::erase(running_, &share);
    share.finish();
    discard_failed();
    let_go(lock);  // what it set off may be what this thread waits for
  }
  lock.lock();  // only now: a share may have the last handle of a value
}

}  // namespace procpool::inline v0::local
