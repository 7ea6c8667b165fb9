// Outcomes and requests from workers. Everything read here may be anything: each value is copied, the
// copy is checked, and what no honest worker would write ends that worker.

#include <chrono>
#include <utility>

#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Outcome;
using wire::RecordKind;

namespace {

/// Records taken from one worker in one look: all that its ring can hold. Without a bound a worker
/// that writes as fast as it is read would keep the lock.
constexpr unsigned records_per_look =
    shm::ring_bytes / shm::record_span(sizeof(wire::OutcomeHeader));

bool is_error(RecordKind kind) {
  return kind == RecordKind::error || kind == RecordKind::slab_error;
}
Outcome outcome_of(RecordKind kind) { return is_error(kind) ? Outcome::remote : Outcome::value; }

}  // namespace

void Supervisor::collect() {
  collected_ = false;
  submitted_ = 0;
  for (const auto& worker : seats_) {
    if (!worker) continue;
    worker->full = false;
    if (!worker->hand.empty()) collect_from(*worker);
  }
}

void Supervisor::collect_from(Worker& worker) {
  if (!worker.violation.empty()) return;
  unsigned count = 0;
  channel::Arrival arrival;
  shm::Look look;
  const std::uint64_t passed = worker.end.passed_hint();  // before what it published before that
  while ((look = worker.end.peek(arrival)) == shm::Look::record) {
    if (count == records_per_look || !accept(worker, arrival)) break;
    worker.end.pop();
    ++count;
  }
  if (look == shm::Look::violation) violated(worker, "its result ring is not in any legal state");
  if (look == shm::Look::empty && worker.hand.awaits_before(passed)) {
    violated(worker, "it passed a call without an outcome");
  }
  if (count == 0) return;
  worker.end.release();
  collected_ = true;
  const Deadline now = Clock::now();
  const auto per_call = (now - worker.busy_since) / count;
  // A hand that ran empty was idle for part of that time: it only proves that calls are no slower.
  if (!worker.hand.empty() || per_call < worker.per_call) {
    worker.per_call = (worker.per_call * 3 + per_call) / 4;
  }
  worker.busy_since = now;
  if (worker.phase == Phase::stopping && !worker.stop_sent) attention_ = true;  // there is room now
}

bool Supervisor::accept(Worker& worker, const channel::Arrival& arrival) {
  Holding* const holding = worker.hand.find(arrival.header.call);
  if (holding == nullptr || arrival.header.element != holding->settled ||
      holding->settled >= holding->limit) {
    violated(worker, "it sent an outcome of a call that it does not have");
    return false;
  }
  detail::Assignment& work = *holding->work;
  switch (arrival.kind) {
    case RecordKind::value:
    case RecordKind::error:
      ledger_.settle(work, outcome_of(arrival.kind), arrival.bytes);
      break;
    case RecordKind::slab_value:
    case RecordKind::slab_error:
      if (!accept_slab(worker, work, arrival)) return false;
      break;
    default:
      violated(worker, "it sent a record of no known kind");
      return false;
  }
  const std::uint64_t sequence = holding->sequence;
  if (++holding->settled == holding->limit) {
    completed(worker, *holding);
    worker.hand.passed(sequence + 1);
  } else {
    worker.hand.passed(sequence);
  }
  return true;
}

bool Supervisor::accept_slab(Worker& worker, detail::Assignment& work,
                             const channel::Arrival& arrival) {
  const auto where = wire::read<wire::SlabOutcome>(arrival.bytes);
  auto& slabs = worker.result_slabs;
  for (std::size_t i = 0; where && i != slabs.size(); ++i) {
    if (slabs[i]->number != where->slab) continue;
    const std::shared_ptr<channel::Slab> slab = std::move(slabs[i]);
    slabs.erase(slabs.begin() + static_cast<std::ptrdiff_t>(i));
    if (where->size > slab->mapping.size()) break;
    ledger_.settle_lent(work, outcome_of(arrival.kind),
                        {{slab->mapping.data(), where->size}, slab});
    return true;
  }
  violated(worker, "it sent an outcome in a slab that it does not have");
  return false;
}

/// All that this worker will settle of the call is settled.
void Supervisor::completed(Worker& worker, Holding& holding) {
  if (holding.arena_size != 0) worker.end.arena().free(holding.arena_at, holding.arena_size);
  detail::Assignment& work = *holding.work;
  worker.hand.close(holding);
  ledger_.finish(work);
}

void Supervisor::violated(Worker& worker, const char* what) {
  if (!worker.violation.empty()) return;
  worker.violation = what;
  if (worker.pidfd) launcher_->kill(worker.pid, worker.pidfd.get());
}

void Supervisor::read_control(Worker& worker) {
  worker.control_seen = false;
  wire::Control message{};
  for (;;) {
    const os::Io io = worker.end.receive(message);
    if (io == os::Io::would_block) return;
    if (io == os::Io::peer_gone) return;  // its pidfd will say the rest
    if (message.kind == wire::ControlKind::hello && worker.phase == Phase::starting) {
      said_hello(worker, message);
    } else if (message.kind == wire::ControlKind::need_slab && !worker.slab_wanted &&
               worker.result_slabs.empty()) {
      worker.slab_wanted = true;
      add_chore([this, ticket = worker.ticket, bytes = message.value](Lock& lock) {
        give_result_slab(ticket, bytes, lock);
      });
    } else {
      return violated(worker, "it sent a control message that is out of place");
    }
  }
}

/// A chore: making a large memory takes long.
void Supervisor::give_result_slab(Ticket ticket, std::uint64_t bytes, Lock& lock) {
  lock.unlock();
  auto slab = std::make_shared<channel::Slab>();
  int refused = 0;
  try {
    slab->size = bytes;
    slab->memory = os::make_memory("procpool-result", (bytes + shm::page - 1) / shm::page * shm::page);
    slab->mapping = os::Mapping(slab->memory, os::Access::read_only);
  } catch (const std::system_error& error) {
    refused = error.code().value();
  } catch (const std::exception&) {
    refused = ENOMEM;
  }
  lock.lock();
  Worker* const worker = find(ticket);
  if (worker == nullptr) return;
  worker->slab_wanted = false;
  // The worker waits for this one packet and its socket has room for many.
  slab->number = ++worker->slabs_sent * 2 + 1;
  const os::Io sent =
      refused != 0 ? worker->end.refuse_slab(refused) : worker->end.send_slab(*slab);
  if (sent == os::Io::would_block) return violated(*worker, "it does not read its control socket");
  if (refused != 0) return;
  slab->memory.reset();
  worker->result_slabs.push_back(std::move(slab));
}

}  // namespace procpool::inline v0::supervisor
