// Outcomes from workers. Everything read here may be anything: each value is copied, the copy is
// checked, and what no honest worker would write ends that worker.

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using detail::Outcome;
using wire::RecordKind;

namespace {

/// Records taken from one worker in one look: all that its ring can hold. Without a bound a worker
/// that writes as fast as it is read would keep the lock.
constexpr unsigned records_per_look =
    shm::ring_bytes / shm::record_span(sizeof(wire::OutcomeHeader));

bool is_slab(RecordKind kind) {
  return kind == RecordKind::slab_value || kind == RecordKind::slab_error;
}
bool is_error(RecordKind kind) {
  return kind == RecordKind::error || kind == RecordKind::slab_error;
}
Outcome outcome_of(RecordKind kind) { return is_error(kind) ? Outcome::remote : Outcome::value; }

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Bytes out of a ring, to be kept.
detail::Part::Lent kept(std::span<const std::byte> bytes) {
  const auto copied = std::make_shared<const std::vector<std::byte>>(copy(bytes));
  return {*copied, copied};
}

}  // namespace

void Supervisor::collect() {
  collected_ = false;
  submitted_ = 0;
  for (const auto& worker : workers_) {
    worker->full = worker->control_full = false;
    if (worker->has_announced_crash()) attention_ = true;
    hear_stack(*worker);
    if (worker->no_room) has_room(*worker, 2);  // else `visible` would find its hint new for ever
    if (!worker->hand.empty() || worker->phase == Phase::initializing) collect_from(*worker);
  }
}

void Supervisor::collect_from(Worker& worker) {
  if (!worker.violation.empty() || worker.dying) return;
  unsigned count = 0;
  unsigned outcomes = 0;
  channel::Arrival arrival;
  shm::Look look;
  const std::uint64_t passed = worker.end.passed_hint();  // before what it published before that
  while ((look = worker.end.peek(arrival)) == shm::Look::record) {
    if (count == records_per_look) break;
    hear_stack(worker);  // told before that record, perhaps
    if (!worker.violation.empty()) break;
    const Ended ended = accept(worker, arrival);
    if (!ended) break;
    worker.end.pop();
    ++count;
    outcomes += *ended;
  }
  if (look == shm::Look::violation) violated(worker, "its result ring is not in any legal state");
  if (look == shm::Look::empty && worker.hand.awaits_before(passed)) {
    violated(worker, "it passed a call without an outcome");
  }
  if (count != 0) worker.end.release();
  if (outcomes != 0) measure(worker, outcomes);
}

/// How fast it is.
void Supervisor::measure(Worker& worker, unsigned outcomes) {
  collected_ = true;
  worker.rooms_lost = 0;
  const Deadline now = Clock::now();
  const auto per_call = (now - worker.busy_since) / outcomes;
  // A hand that ran empty was idle for part of that time: it only proves that calls are no slower.
  if (!worker.hand.empty() || per_call < worker.per_call) {
    worker.per_call = (worker.per_call * 3 + per_call) / 4;
  }
  worker.busy_since = now;
  if (worker.phase == Phase::stopping && !worker.stop_sent) attention_ = true;  // there is room now
  if (worker.leaving) attention_ = true;
  if (!worker.shown.empty()) keep_memory();
  if (const Holding* const next = worker.hand.first()) {
    expect_start(worker, *next->work);
  } else if (settings_.idle_timeout) {
    driver_.at(deadline_after(*settings_.idle_timeout));
  }
}

/// It is about to begin this, if it has not already.
void Supervisor::expect_start(Worker& worker, const Assignment& work) {
  worker.running_since = never;
  if (const auto limit = first_limit(work)) driver_.at(deadline_after(first_look(*limit)));
}

/// By what has arrived.
Ended Supervisor::accept(Worker& worker, const channel::Arrival& arrival) {
  if (arrival.kind == RecordKind::start_error) return accept_start_error(worker, arrival);
  Holding* const holding = worker.hand.find(arrival.header.call);
  if (holding == nullptr || arrival.header.element != holding->settled ||
      holding->settled >= holding->limit) {
    return violated(worker, "it sent an outcome of a call that it does not have");
  }
  if (arrival.kind == RecordKind::progress || arrival.kind == RecordKind::log) {
    return accept_update(worker, *holding, arrival);
  }
  if (arrival.kind == RecordKind::run) return accept_run(worker, *holding, arrival);
  if (arrival.kind < RecordKind::value || arrival.kind > RecordKind::slab_error) {
    return violated(worker, "it sent a record of no known kind");
  }
  do_without_stack(worker);
  detail::Part::Lent large;
  if (is_slab(arrival.kind) && !take_room(worker, arrival, large)) return std::nullopt;
  const bool late = timed_out(worker, *holding);
  Assignment& work = *holding->work;
  Assignment* lifted = nullptr;
  if (late) {
    lifted = settle_timeout(work);
  } else if (is_error(arrival.kind) && may_run_again(work)) {
    lifted = &ledger_.lift(work);
    judge(*lifted, large.keeper ? std::move(large) : kept(arrival.bytes));
  } else if (is_error(arrival.kind) && wants_capsule(work)) {
    lifted = &ledger_.lift(work);
    leave_capsule(*lifted, large.keeper ? std::move(large) : kept(arrival.bytes));
  } else if (large.keeper) {
    ledger_.settle_lent(work, outcome_of(arrival.kind), std::move(large));
  } else {
    ledger_.settle(work, outcome_of(arrival.kind), arrival.bytes);
  }
  worker.hand.settled(*holding);
  advanced(worker, *holding, lifted != &work);
  return 1;
}

/// Its elements before `settled` have ended. Not `over`: the work itself goes on elsewhere.
void Supervisor::advanced(Worker& worker, Holding& holding, bool over) {
  const std::uint64_t sequence = holding.sequence;
  if (worker.ladder && worker.ladder->sequence == sequence &&
      worker.ladder->element < holding.settled) {
    end_ladder(worker);
  }
  if (holding.settled != holding.limit) return worker.hand.passed(sequence);
  if (over) {
    completed(worker, holding);
  } else {
    put_down(worker, holding);
  }
  worker.hand.passed(sequence + 1);
}

/// A flat chunk's values. What is there is copied once, to where it belongs.
Ended Supervisor::accept_run(Worker& worker, Holding& holding, const channel::Arrival& arrival) {
  const auto count = wire::read<std::uint32_t>(arrival.bytes);
  if (!count || *count == 0 || *count > holding.limit - holding.settled ||
      holding.stage_block == no_block) {
    return violated(worker, "it sent values of a call that it does not have");
  }
  settle_run(worker, holding, *count);
  advanced(worker, holding, true);
  return count;
}

void Supervisor::settle_run(Worker& worker, Holding& holding, std::uint32_t count) {
  const std::size_t size = static_cast<detail::Chunk&>(*holding.work).batch->result_size;
  const std::byte* const values =
      worker.stage->results(holding.stage_block) + holding.settled * size;
  ledger_.settle_run(*holding.work, count, {values, count * size});
  worker.hand.settled(holding, count);
}

bool Supervisor::take_room(Worker& worker, const channel::Arrival& arrival,
                           detail::Part::Lent& bytes) {
  const auto where = wire::read<wire::SlabOutcome>(arrival.bytes);
  auto lent = where ? worker.end.rooms().lend(where->slab, where->size) : std::nullopt;
  if (!lent) {
    violated(worker, "it sent an outcome in a slab that it does not have");
    return false;
  }
  bytes = std::move(*lent);
  keep_memory();
  return true;
}

Ended Supervisor::accept_update(Worker& worker, const Holding& holding,
                                const channel::Arrival& arrival) {
  TaskUpdate update{.index = index_of(holding)};
  if (arrival.kind == RecordKind::progress) {
    const auto progress = wire::read<wire::Progress>(arrival.bytes);
    if (!progress) return violated(worker, "it sent a progress record that is too short");
    update.done = progress->done;
    update.total = progress->total;
  } else {
    update.log.assign(reinterpret_cast<const char*>(arrival.bytes.data()), arrival.bytes.size());
  }
  said(Ledger::node_of(*holding.work), std::move(update));
  return 0;
}

Ended Supervisor::accept_start_error(Worker& worker, const channel::Arrival& arrival) {
  if (worker.phase != Phase::initializing || !worker.start_error.empty()) {
    return violated(worker, "it speaks of its start, which is over");
  }
  worker.start_error = copy(arrival.bytes);
  worker.failed_hook = wire::hook_kind(arrival.header.element);
  return 0;
}

/// Nothing more is awaited of what it holds there.
void Supervisor::completed(Worker& worker, Holding& holding) {
  Assignment& work = *holding.work;
  put_down(worker, holding);
  ledger_.finish(work);
}

void Supervisor::put_down(Worker& worker, Holding& holding) {
  if (holding.arena_size != 0) worker.end.arena().free(holding.arena_at, holding.arena_size);
  if (holding.stage_block != no_block) worker.stage->free(holding.stage_block);
  worker.hand.close(holding);
}

std::nullopt_t Supervisor::violated(Worker& worker, const char* what) {
  if (!worker.violation.empty()) return std::nullopt;
  worker.violation = what;
  if (worker.pidfd) kill(worker);
  return std::nullopt;
}

// ---- once more -----------------------------------------------------------------------------------

bool Supervisor::may_run_again(const Assignment& work) const {
  return work.retries != 0 && work.options != nullptr && !work.options->retry_on.empty() &&
         !Ledger::node_of(work).done();
}

void Supervisor::run_again(Assignment& work) {
  once_more(work);
  resend(work);
}

/// Whether its error is one after which its caller wants it to run again: a chore, because
/// rebuilding the error runs code of the user's. A large one stays where it is: a worker says how
/// large.
void Supervisor::judge(Assignment& work, detail::Part::Lent record) {
  add_chore([this, &work, what = failed(work, wire::Failure::exception),
             record = std::move(record)](Lock& lock) {
    lock.unlock();
    const bool again = work.options->retry_on.covers(detail::rebuild_error(record.bytes));
    const auto told = !again && wants_capsule(work) ? with_capsule(what, record) : record;
    lock.lock();
    if (again && !Ledger::node_of(work).done()) {
      run_again(work);
    } else {
      ledger_.settle_lent(work, Outcome::remote, told);
      ledger_.finish(work);
    }
    attention_ = true;
  });
}

/// The element that would be settled next has been running for too long, and is over now. What is
/// returned runs again, or is settled later; null: it ends so.
Assignment* Supervisor::settle_timeout(Assignment& work) {
  if (work.retries != 0 && !Ledger::node_of(work).done()) {
    Assignment& lifted = ledger_.lift(work);
    run_again(lifted);
    return &lifted;
  }
  return settle_failure(work, wire::Failure::timeout, timeout_error(work));
}

}  // namespace procpool::inline v0::supervisor
