// What was given to one worker and has not started can be taken back, for one that is idle or for what
// is more urgent.

#include <algorithm>
#include <chrono>

#include "supervisor/call_bytes.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using namespace std::chrono_literals;

namespace {

/// What waits at a worker for longer than this is worth moving to an idle one.
constexpr auto worth_moving = 100us;
constexpr auto look_again = 300us;

}  // namespace

/// Nothing waits here: whether an idle worker can take over from one that has more than it runs.
void Supervisor::rebalance() {
  for (const Place& place : places_) {
    Worker* const idle = place.worker;
    if (idle == nullptr || !idle->idle()) continue;
    Worker* const from = worth_relieving();
    if (from == nullptr || !move_work(*from, *idle)) return;
  }
  if (settings_.idle_timeout && worth_relieving() != nullptr) wake_dormant(1);
}

/// The one from which work should be moved; null: none, or not yet.
Worker* Supervisor::worth_relieving() {
  Worker* const from = most_loaded();
  if (from == nullptr) return nullptr;
  const Deadline now = Clock::now();
  const auto waits = from->per_call * (from->hand.elements() - 1);
  if (waits >= worth_moving || now - from->busy_since >= worth_moving) return from;
  driver_.at(now + look_again);
  return nullptr;
}

Worker* Supervisor::most_loaded() {
  Worker* most = nullptr;
  std::uint32_t most_calls = 1;
  for (const auto& worker : workers_) {
    if (!worker->violation.empty()) continue;
    std::uint32_t calls = worker->hand.calls();
    // A lone chunk counts by the elements that wait in it.
    if (calls == 1) {
      const Holding& only = *worker->hand.last();
      if (only.limit - only.settled > 1) calls = 2;
    }
    if (calls > most_calls) {
      most = worker.get();
      most_calls = calls;
    }
  }
  return most;
}

/// Takes the last call back, or the second half of the only one.
bool Supervisor::move_work(Worker& from, Worker& to) {
  Holding& holding = *from.hand.last();
  const std::uint32_t left = holding.limit - holding.settled;
  const bool only = from.hand.calls() == 1;
  Assignment* const moved =
      reclaim(from, holding, only ? holding.settled + (left + 1) / 2 : holding.settled);
  if (moved == nullptr) return false;
  if (needs_slab(*moved)) {
    add_chore([this, moved](Lock& lock) { prepare(*moved, lock); });
    return false;
  }
  if (!send(to, *moved)) {
    ledger_.put_back(*moved);
    return false;
  }
  to.end.ring();
  return true;
}

/// What the worker has not started of it, from its element `keep` on (at least `settled`): now in
/// nobody's hands. Null: it has started all that. The holding is closed when nothing is left in it.
Assignment* Supervisor::reclaim(Worker& worker, Holding& holding, std::uint32_t keep) {
  Assignment& work = *holding.work;
  const std::uint32_t limit =
      worker.end.take_back(holding.sequence, holding.count, holding.limit, keep);
  if (limit >= holding.limit) return nullptr;
  Assignment& rest = ledger_.remainder(work, limit, holding.limit - limit);
  worker.hand.lower(holding, limit);
  if (limit != holding.settled) return &rest;
  if (&rest != &work) {
    completed(worker, holding);
  } else {  // a call that was given to it in vain
    put_down(worker, holding);
    if (worker.calls_given != 0) --worker.calls_given;
  }
  return &rest;
}

/// Something of this priority comes: what is less urgent and waits in hands goes back to where it
/// waits here, in its order. In a pool where all is equally urgent there is none such.
void Supervisor::make_way(int priority) {
  highest_ = std::max(highest_, priority);
  lowest_ = std::min(lowest_, priority);
  if (priority == lowest_) return;
  if (std::ranges::any_of(places_, [](const Place& p) { return p.worker && p.worker->idle(); })) {
    return;
  }
  for (const auto& worker : workers_) {
    if (!worker->violation.empty()) continue;
    Holding* last = worker->hand.last();
    while (last != nullptr && priority_of(*last->work) < priority && give_up(*worker, *last)) {
      last = worker->hand.last();
    }
  }
}

/// Whether it may be given to a worker that runs something. Where not all is equally urgent only the
/// least urgent may: anything else would wait there while something less urgent goes first elsewhere.
bool Supervisor::may_go_ahead(const Assignment& work) const {
  return highest_ <= lowest_ || priority_of(work) == lowest_;
}

/// What has not started of it waits here again. False: something has.
bool Supervisor::give_up(Worker& worker, Holding& holding) {
  Assignment* const rest = reclaim(worker, holding, holding.settled);
  if (rest == nullptr) return false;
  const bool whole = holding.work == nullptr;
  resend(*rest);
  return whole;
}

}  // namespace procpool::inline v0::supervisor
