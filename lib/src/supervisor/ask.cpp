// Waiting for tasks, and questions to the pool.

#include <algorithm>

#include "os/fork.hpp"
#include "os/sandbox.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Node;
using detail::Waiter;

namespace {

bool node_is_done(const void* node) { return static_cast<const Node*>(node)->done(); }
bool queue_has_one(const void* queue) {
  return !static_cast<const detail::CompletionQueue*>(queue)->ready.empty();
}

}  // namespace

bool Supervisor::wait(Node& node, Deadline until) {
  check_mine();
  Lock lock = driver_.hold();
  check_waits(until);
  Waiter waiter{.satisfied = node_is_done, .subject = &node};
  const bool satisfied = driver_.wait(lock, waiter, node.waiters, until);
  let_go(lock);
  return satisfied;
}

Node* Supervisor::wait_any(detail::CompletionQueue& queue, Deadline until) {
  check_mine();
  Lock lock = driver_.hold();
  check_waits(until);
  Waiter waiter{.satisfied = queue_has_one, .subject = &queue};
  driver_.wait(lock, waiter, queue.waiters, until);
  Node* const node = queue.take();
  let_go(lock);
  return node;
}

/// A worker's hello can be here before its launcher has said which process it is.
bool Supervisor::all_ready() const {
  return std::ranges::all_of(places_, [](const Place& place) {
    const Worker* const worker = place.worker;
    if (worker == nullptr || worker->pid == 0) return place.dormant;
    // One that was told to go is as good as gone, once it has done what it had.
    return worker->phase == Phase::ready ||
           (worker->phase == Phase::stopping && worker->hand.calls() != 0);
  });
}

void Supervisor::wait_for_pool(Lock& lock, bool (*satisfied)(const void*), Deadline until) const {
  Waiter waiter{.satisfied = satisfied, .subject = this};
  driver_.wait(lock, waiter, pool_waiters_, until);
}

std::vector<pid_t> Supervisor::pids() const {
  check_mine();
  auto& self = const_cast<Supervisor&>(*this);
  Lock lock = driver_.hold();
  wait_for_pool(
      lock,
      [](const void* subject) {
        const auto& pool = *static_cast<const Supervisor*>(subject);
        return pool.state_ != State::open || !pool.broken_.empty() || pool.all_ready();
      },
      deadline_after(std::chrono::seconds(1)));
  std::vector<pid_t> pids;
  for (const Place& place : places_) {
    if (place.worker != nullptr && place.worker->pid != 0) pids.push_back(place.worker->pid);
  }
  self.let_go(lock);
  return pids;
}

/// By the claim words, that is by the worker's own account.
bool Supervisor::running(const Node& node) {
  if (generation_ != os::fork_generation()) return false;
  Lock lock = driver_.hold();
  bool runs = false;
  for (const auto& worker : workers_) {
    if (!worker->violation.empty()) continue;
    worker->hand.each([&](const Holding& holding) {
      if (&Ledger::node_of(*holding.work) != &node) return;
      const auto started = worker->end.started(holding.sequence, holding.count, holding.limit);
      runs |= started && *started > holding.settled;
    });
  }
  let_go(lock);
  return runs;
}

PoolStats Supervisor::stats() const {
  check_mine();
  auto& self = const_cast<Supervisor&>(*this);
  Lock lock = driver_.hold();
  PoolStats stats = counts_;
  stats.open = state_ == State::open && broken_.empty();
  stats.submitted = ledger_.entered();
  stats.done = ledger_.ended();
  stats.waiting = ledger_.waiting();
  for (const auto& worker : workers_) stats.handed += worker->hand.calls();
  stats.pending_bytes = ledger_.pending_bytes();
  const std::uint32_t gaps = sandbox_gaps_;
  self.let_go(lock);
  stats.sandbox_gaps = os::gap_lines(gaps);
  return stats;
}

}  // namespace procpool::inline v0::supervisor
