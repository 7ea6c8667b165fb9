// Which worker gets what, when. Idle workers first; then a short run-ahead, so that a worker never
// waits between tiny tasks. What is taken back again: rebalance.cpp.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include <procpool/detail/descriptor.hpp>

#include "supervisor/call_bytes.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using channel::Slab;
using detail::Assignment;
using detail::Chunk;
using namespace std::chrono_literals;

namespace {

/// Run-ahead is measured in time: enough to cover the way home and back. Too short: workers idle
/// between tiny tasks; too long: more to take back when somebody is idle.
constexpr auto ahead_time = 200us;
constexpr std::uint32_t least_ahead = 2;  // the one that runs, and one
constexpr std::uint32_t most_ahead = shm::slot_count - 4;
/// Work that takes no longer than this is given to a worker that is awake rather than to one that
/// must be woken for it. Too short: a wake-up for each tiny task; too long: processors idle.
constexpr auto worth_waking = 10us;
/// What an automatic chunk should take. At most: what waits behind a long element is taken back for
/// whoever is idle, so a chunk need not be short, and each costs home a look that a worker may wait
/// for. At least: what is shorter is not worth moving.
constexpr auto most_chunk_time = 5ms;
constexpr auto least_chunk_time = 200us;
/// Bytes of an automatic chunk, so that several fit into an arena.
constexpr std::uint64_t chunk_bytes = shm::arena_bytes / 4;

const Chunk& chunk_of(const Assignment& work) { return static_cast<const Chunk&>(work); }

/// Elements for which a stage is worth its making. Too few: a memory for nothing; too many: slow maps.
constexpr std::uint64_t stage_worth_bytes = 64 * 1024;

/// A batch whose chunks may go by the stage (channel/stage.hpp). What a task's options ask for needs
/// each element to be claimed by itself.
bool is_large_flat(const detail::Batch& batch) {
  return batch.sink != nullptr && batch.options == nullptr &&
         batch.elements.total_bytes() >= stage_worth_bytes;
}

/// How many of its elements fit into a block.
std::uint64_t block_elements(const detail::Batch& batch) {
  constexpr std::uint64_t block = channel::Stage::block_bytes;
  const std::uint64_t before = sizeof(wire::ChunkHeader) + wire::align16(batch.elements.callable.size());
  return before >= block ? 0
                         : std::min((block - before) / batch.elements.size(0),
                                    block / batch.result_size);
}

bool goes_by_stage(const Assignment& work, const Worker& worker) {
  if (!work.is_chunk || !worker.stage) return false;
  const detail::Batch& batch = *chunk_of(work).batch;
  return is_large_flat(batch) && work.count <= block_elements(batch);
}

}  // namespace

/// Where the bytes of a call lie for one worker.
struct Placement {
  wire::Place place = wire::Place::slot;
  wire::Elsewhere elsewhere{};
  std::uint32_t arena_size = 0;
  std::uint32_t stage_block = no_block;
};

void Supervisor::dispatch() {
  while (ledger_.has_failed()) {
    for (const auto& batch : ledger_.take_failed()) discard_started(*batch);
  }
  while (Assignment* const next = ledger_.front()) {
    Worker* const worker = choose(may_go_ahead(*next));
    if (worker == nullptr) return wake_dormant(ledger_.waiting() - 1 + next->count);
    Assignment& work = take_share(*next, *worker);
    if (needs_slab(work) && !goes_by_stage(work, *worker)) {  // a chore: its submitter is long gone
      add_chore([this, &work](Lock& lock) { prepare(work, lock); });
      continue;
    }
    if (!send(*worker, work)) {
      worker->full = true;
      ledger_.put_back(work);
      continue;
    }
    worker->end.ring();
  }
  if (ledger_.outstanding() != 0) rebalance();
}

/// The work itself, or of a batch as many elements as go as one call; they do not wait any more.
Assignment& Supervisor::take_share(Assignment& next, Worker& worker) {
  if (!next.is_chunk || next.count == 1 || slab_of(next) != nullptr) {
    ledger_.take(next);
    return next;
  }
  auto& waiting = static_cast<Chunk&>(next);
  const detail::Batch& batch = *waiting.batch;
  if (is_large_flat(batch) && !worker.stage && !std::exchange(worker.stage_wanted, true)) {
    add_chore([this, ticket = worker.ticket](Lock& lock) { give_stage(ticket, lock); });
  }
  std::uint64_t count = batch.chunk == 0 ? automatic_share(waiting, worker) : batch.chunk;
  if (is_large_flat(batch) && worker.stage) count = std::min(count, block_elements(batch));
  return ledger_.cut(waiting, static_cast<std::uint32_t>(
                                  std::min<std::uint64_t>(count, waiting.count)));
}

/// Large first, small at the tail.
std::uint64_t Supervisor::automatic_share(const Chunk& waiting, const Worker& worker) const {
  const detail::Batch& batch = *waiting.batch;
  const std::uint64_t bytes = std::max<std::uint64_t>(batch.elements.size(waiting.first), 1);
  const std::uint64_t fitting =
      is_large_flat(batch) && worker.stage ? block_elements(batch) : chunk_bytes / bytes;
  const auto in = [&worker](Duration time) {
    return static_cast<std::uint64_t>(time / std::max(worker.per_call, 1ns));
  };
  const std::uint64_t fair = (waiting.count + places_.size() - 1) / places_.size();
  const std::uint64_t least = std::min(in(least_chunk_time), fair);
  const std::uint64_t timely = std::clamp(fair / 2, least, std::max(in(most_chunk_time), least));
  return std::max<std::uint64_t>(std::min(timely, fitting), 1);
}

/// Whether it has enough to do until it can be given more.
bool Supervisor::supplied(const Worker& worker) const {
  const std::uint32_t calls = worker.hand.calls();
  if (calls < least_ahead) return false;
  return calls >= most_ahead || worker.per_call * worker.hand.elements() >= ahead_time;
}

/// A worker that is about to be done with what it has and is awake anyway; else an idle one; else
/// one that may be supplied further ahead. Not `may_go_ahead`: only an idle one.
Worker* Supervisor::choose(bool may_go_ahead) {
  Worker* idle = nullptr;
  Worker* ahead = nullptr;
  const std::size_t count = places_.size();
  for (std::size_t i = 0; i != count; ++i) {
    Worker* const worker = places_[(next_place_ + i) % count].worker;
    if (worker == nullptr || !worker->takes_calls() || worker->full) continue;
    if (worker->hand.empty()) {
      if (idle == nullptr) idle = worker;
    } else if (may_go_ahead && !supplied(*worker)) {
      if (worker->per_call * worker->hand.elements() < worth_waking) return worker;
      if (ahead == nullptr) ahead = worker;
    }
  }
  Worker* const chosen = idle != nullptr ? idle : ahead;
  if (chosen != nullptr) next_place_ = static_cast<std::size_t>(chosen->place) + 1;
  return chosen;
}

/// Slots that were taken back are free once the worker has passed them, which it tells before it
/// sleeps; `visible` looks for that while work waits.
bool Supervisor::has_room(Worker& worker, std::uint64_t slots) {
  worker.hint = worker.end.passed_hint();
  worker.hand.passed(worker.hint);
  worker.no_room = !worker.hand.has_room(slots);
  return !worker.no_room;
}

/// False: not now (no slot, no arena bytes, no room in its socket).
bool Supervisor::send(Worker& worker, Assignment& work) {
  if (!has_room(worker, 2)) return false;  // the call, and perhaps a binding before it
  Placement placement;
  if (!attach(worker, work) || !place(worker, work, placement)) return false;
  wire::CallHeader header{work.is_chunk ? wire::CallKind::chunk : wire::CallKind::call,
                          placement.place,
                          work.attempt,
                          bind(worker, *work.descriptor),
                          static_cast<std::uint32_t>(name_of(work).size()),
                          work.is_chunk ? work.count : work.first};
  if (worker.hand.empty()) {
    worker.busy_since = Clock::now();
    expect_start(worker, work);
  }
  Holding holding{worker.end.published(),        &work, work.count, work.count, 0,
                  placement.elsewhere.offset, placement.arena_size, placement.stage_block};
  if (placement.place == wire::Place::slot) {
    header.size = static_cast<std::uint32_t>(Ledger::node_of(work).payload.size());
    worker.end.send(header, Ledger::node_of(work).payload.bytes());
  } else {
    worker.end.send(header, wire::bytes_of(placement.elsewhere));
  }
  worker.hand.put(holding);
  count_call(worker);
  return true;
}

bool Supervisor::place(Worker& worker, Assignment& work, Placement& placement) {
  const std::uint64_t size = call_bytes(work);
  placement.elsewhere.size = size;
  if (const Slab* const slab = slab_of(work)) {
    if (!show_slab(worker, *slab)) return false;
    placement.place = wire::Place::slab;
    placement.elsewhere.slab = slab->number;
    return true;
  }
  if (goes_by_stage(work, worker)) {
    const std::uint32_t block = worker.stage->take();
    if (block == channel::Stage::blocks) return false;
    placement.place = wire::Place::stage;
    placement.elsewhere.offset = placement.stage_block = block;
    write_call(work, worker.stage->arguments(block));
    return true;
  }
  if (!work.is_chunk && size <= wire::inline_bytes && name_of(work).empty()) return true;
  const auto at = worker.end.arena().allocate(size);
  if (!at) return false;
  placement.place = wire::Place::arena;
  placement.elsewhere.offset = *at;
  placement.arena_size = static_cast<std::uint32_t>(size);
  write_call(work, worker.end.arena_bytes(*at));
  return true;
}

/// The worker's number for this code, sent to it before its first use.
std::uint32_t Supervisor::bind(Worker& worker, const detail::Descriptor& descriptor) {
  const auto [entry, fresh] = task_numbers_.try_emplace(
      &descriptor, static_cast<std::uint32_t>(task_numbers_.size()));
  const std::uint32_t number = entry->second;
  if (number < worker.bound.size() && worker.bound[number]) return number;
  const detail::CodeAddress code = detail::identify_code(&descriptor);
  const wire::Bind binding{code.module, code.offset};
  Holding message{.sequence = worker.end.published()};
  worker.end.send({wire::CallKind::bind, wire::Place::slot, 0, number, sizeof binding, 0},
                  wire::bytes_of(binding));
  worker.hand.put(message);
  if (worker.bound.size() <= number) worker.bound.resize(number + 1);
  worker.bound[number] = true;
  return number;
}

}  // namespace procpool::inline v0::supervisor
