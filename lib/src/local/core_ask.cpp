// Waiting for tasks, and questions to the pool.

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "local/core.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::local {

using detail::Assignment;
using detail::Node;

/// A thread that waits.
struct LocalCore::Sleeper : detail::Waiter {
  std::condition_variable awake;
};

void LocalCore::wake(detail::Waiter& waiter) { static_cast<Sleeper&>(waiter).awake.notify_all(); }

/// What is waited for, where it waits itself; something else where that waits for something else.
bool LocalCore::help(Lock& lock, const Node* wanted) {
  Assignment* work = nullptr;
  if (in_own_task()) {
    if (wanted != nullptr) work = take_of(*wanted);
    if (work == nullptr && (wanted == nullptr || wanted->held)) work = take_any();
  } else if (wanted != nullptr && !wanted->is_batch) {
    work = take_of(*wanted);
  }
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
  const bool may_help = until == never && (in_own_task() || anybody_runs());
  if (may_help) helpers_.push_back(&sleeper);
  while (!satisfied(subject)) {
    if (may_help && help(lock, wanted)) continue;
    if (until == never) {
      sleeper.awake.wait(lock);
    } else if (sleeper.awake.wait_until(lock, until) == std::cv_status::timeout) {
      break;
    }
  }
  if (may_help) std::erase(helpers_, &sleeper);
  among.remove(sleeper);
  return satisfied(subject);
}

void LocalCore::help_until(bool (*satisfied)(const void*), const void* subject) {
  Lock lock(mutex_);
  detail::Waiters nobody_else;
  wait_until(lock, nobody_else, satisfied, subject, never, nullptr);
  let_go(lock);
}

void LocalCore::wake_helpers() {
  const Lock lock(mutex_);
  for (detail::Waiter* const helper : helpers_) wake(*helper);
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
  Node* const node = queue.take();
  let_go(lock);
  return node;
}

// ---- questions -----------------------------------------------------------------------------------

bool LocalCore::running(const Node& node) {
  if (generation_ != os::fork_generation()) return false;
  const Lock lock(mutex_);
  return std::ranges::any_of(running_, [&](const Share* s) { return &s->node() == &node; });
}

std::vector<pid_t> LocalCore::pids() const {
  check_mine();
  return std::vector<pid_t>(static_cast<std::size_t>(wanted_), os::this_pid());
}

PoolStats LocalCore::stats() const {
  check_mine();
  const Lock lock(mutex_);
  PoolStats stats;
  stats.open = state_ == State::open && !broken_;
  stats.submitted = ledger_.entered();
  stats.done = ledger_.ended();
  stats.waiting = ledger_.waiting();
  stats.handed = running_.size();
  stats.pending_bytes = ledger_.pending_bytes();
  stats.workers_started = places();
  return stats;
}

}  // namespace procpool::inline v0::local
