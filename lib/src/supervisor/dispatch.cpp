// Which worker gets what, when; and what is taken back. Idle workers first; then a short run-ahead, so
// that a worker never waits between tiny tasks. What waits behind a long task is taken back as soon
// as somebody is idle.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include <procpool/detail/descriptor.hpp>

#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using channel::Slab;
using detail::Assignment;
using detail::Chunk;
using detail::Node;
using namespace std::chrono_literals;

namespace {

/// Run-ahead is measured in time: enough to cover the way home and back. Too short: workers idle
/// between tiny tasks; too long: more to take back when somebody is idle.
constexpr auto ahead_time = 200us;
constexpr std::uint32_t least_ahead = 2;  // the one that runs, and one
constexpr std::uint32_t most_ahead = shm::slot_count - 4;
/// Work that takes no longer than this is given to a worker that is awake rather than to one that must
/// be woken for it. Too short: a wake-up for each tiny task; too long: processors idle.
constexpr auto worth_waking = 10us;
/// What waits at a worker for longer than this is worth moving to an idle one.
constexpr auto worth_moving = 100us;
constexpr auto look_again = 300us;

const Chunk& chunk_of(const Assignment& work) { return static_cast<const Chunk&>(work); }
const Node& node_of(const Assignment& work) { return static_cast<const Node&>(work); }

/// The bytes of a chunk, in their order (wire/messages.hpp).
struct ChunkLayout {
  explicit ChunkLayout(const Chunk& chunk)
      : elements(chunk.batch->elements), first(chunk.first), last(chunk.first + chunk.count) {
    table = elements.uniform() ? 0 : std::uint64_t{chunk.count} * sizeof(std::uint64_t);
    start = elements.start(first);
    size = sizeof(wire::ChunkHeader) + wire::align16(elements.callable.size()) +
           wire::align16(table) + elements.end(last - 1) - start;
  }

  void write(std::byte* to) const {
    const wire::ChunkHeader header{
        static_cast<std::uint32_t>(elements.callable.size()), elements.first_index + first,
        elements.uniform() ? static_cast<std::uint32_t>(elements.size(first)) : wire::various_bytes,
        elements.alignment};
    std::memcpy(to, &header, sizeof header);
    to += sizeof header;
    copy(to, elements.callable);
    to += wire::align16(elements.callable.size());
    if (table != 0) {
      for (std::uint32_t i = first; i != last; ++i) {
        const std::uint64_t end = elements.end(i) - start;
        std::memcpy(to + (i - first) * sizeof end, &end, sizeof end);
      }
      to += wire::align16(table);
    }
    copy(to, elements.run(first, last));
  }

  static void copy(std::byte* to, std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  }

  const detail::Elements& elements;
  std::uint32_t first;
  std::uint32_t last;
  std::uint64_t table;
  std::uint64_t start;
  std::uint64_t size;
};

const std::shared_ptr<const void>* slab_of(const Assignment& work) {
  if (work.is_chunk) return chunk_of(work).slab ? &chunk_of(work).slab : nullptr;
  const Node& node = node_of(work);
  return node.extras && node.extras->slab ? &node.extras->slab : nullptr;
}

}  // namespace

std::uint64_t call_bytes(const Assignment& work) {
  return work.is_chunk ? ChunkLayout(chunk_of(work)).size : node_of(work).payload.size();
}

bool needs_slab(const Assignment& work) {
  return call_bytes(work) > channel::HostEnd::Arena::largest && slab_of(work) == nullptr;
}

void give_slab(Assignment& work) {
  auto slab = std::make_shared<Slab>();
  slab->size = call_bytes(work);
  slab->memory =
      os::make_memory("procpool-call", (slab->size + shm::page - 1) / shm::page * shm::page);
  slab->mapping = os::Mapping(slab->memory, os::Access::read_write);
  if (work.is_chunk) {
    ChunkLayout(chunk_of(work)).write(slab->mapping.data());
  } else {
    ChunkLayout::copy(slab->mapping.data(), node_of(work).payload.bytes());
  }
  os::seal_against_writers(slab->memory);
  if (work.is_chunk) {
    static_cast<Chunk&>(work).slab = std::move(slab);
  } else {
    Node& node = static_cast<Node&>(work);
    node.payload.lend({slab->mapping.data(), slab->size}, slab);
    node.more().slab = std::move(slab);
  }
}

/// Where the bytes of a call lie for one worker.
struct Placement {
  wire::Place place = wire::Place::slot;
  wire::Elsewhere elsewhere{};
  std::uint32_t arena_size = 0;
};

void Supervisor::dispatch() {
  while (Assignment* const work = ledger_.front()) {
    if (needs_slab(*work)) {  // what is left of a large chunk: its submitter is long gone
      ledger_.pop_front();
      add_chore([this, work](Lock& lock) { prepare(*work, lock); });
      continue;
    }
    Worker* const worker = choose();
    if (worker == nullptr) return;
    if (!send(*worker, *work)) {
      worker->full = true;
      continue;
    }
    ledger_.pop_front();
    worker->end.ring();
  }
  if (ledger_.outstanding() != 0) rebalance();
}

std::uint32_t Supervisor::run_ahead(const Worker& worker) const {
  const auto calls = ahead_time / std::max(worker.per_call, std::chrono::nanoseconds(1));
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(calls, least_ahead, most_ahead));
}

/// A worker that is about to be done with what it has and is awake anyway; else an idle one; else one
/// that may be supplied further ahead.
Worker* Supervisor::choose() {
  Worker* idle = nullptr;
  Worker* ahead = nullptr;
  const std::size_t count = seats_.size();
  for (std::size_t i = 0; i != count; ++i) {
    Worker* const worker = seats_[(next_seat_ + i) % count].get();
    if (worker == nullptr || !worker->takes_calls() || worker->full) continue;
    const std::uint32_t calls = worker->hand.calls();
    if (calls == 0) {
      if (idle == nullptr) idle = worker;
    } else if (calls < run_ahead(*worker)) {
      if (worker->per_call * calls < worth_waking) return worker;
      if (ahead == nullptr) ahead = worker;
    }
  }
  Worker* const chosen = idle != nullptr ? idle : ahead;
  if (chosen != nullptr) next_seat_ = static_cast<std::size_t>(chosen->seat) + 1;
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
  if (!place(worker, work, placement)) return false;
  wire::CallHeader header{work.is_chunk ? wire::CallKind::chunk : wire::CallKind::call,
                          placement.place,
                          work.attempt,
                          bind(worker, *work.descriptor),
                          0,
                          work.count};
  if (worker.hand.empty()) worker.busy_since = Clock::now();
  Holding holding{worker.end.published(),        &work, work.count, work.count, 0,
                  placement.elsewhere.offset, placement.arena_size};
  if (placement.place == wire::Place::slot) {
    header.size = static_cast<std::uint32_t>(node_of(work).payload.size());
    worker.end.send(header, node_of(work).payload.bytes());
  } else {
    worker.end.send(header, wire::bytes_of(placement.elsewhere));
  }
  worker.hand.put(holding);
  return true;
}

bool Supervisor::place(Worker& worker, Assignment& work, Placement& placement) {
  const std::uint64_t size = call_bytes(work);
  placement.elsewhere.size = size;
  if (const auto* slab = slab_of(work)) {
    auto& memory = *static_cast<Slab*>(const_cast<void*>(slab->get()));
    memory.number = (worker.slabs_sent + 1) * 2;
    if (worker.end.send_slab(memory) != os::Io::ok) return false;
    ++worker.slabs_sent;
    placement.place = wire::Place::slab;
    placement.elsewhere.slab = memory.number;
    return true;
  }
  if (!work.is_chunk && size <= wire::inline_bytes) return true;
  const auto at = worker.end.arena().allocate(size);
  if (!at) return false;
  placement.place = wire::Place::arena;
  placement.elsewhere.offset = *at;
  placement.arena_size = static_cast<std::uint32_t>(size);
  std::byte* const to = worker.end.arena_bytes(*at);
  if (work.is_chunk) {
    ChunkLayout(chunk_of(work)).write(to);
  } else {
    ChunkLayout::copy(to, node_of(work).payload.bytes());
  }
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

/// A chore: making and filling a large memory takes long.
void Supervisor::prepare(Assignment& work, Lock& lock) {
  lock.unlock();
  std::exception_ptr error;
  try {
    give_slab(work);
  } catch (...) {
    error = std::make_exception_ptr(
        EncodingError("no shared memory for a call of " + std::to_string(call_bytes(work)) +
                      " bytes"));
  }
  lock.lock();
  if (error) {
    ledger_.fail(work, work.count, [&error] { return error; });
  } else if (state_ == State::terminated || !broken_.empty()) {
    ledger_.fail(work, work.count, [this] { return end_error(); });
  } else {
    ledger_.push_front(work);
  }
}

/// Nothing waits here: whether an idle worker can take over from one that has more than it runs.
void Supervisor::rebalance() {
  for (const auto& idle : seats_) {
    if (!idle || !idle->takes_calls() || !idle->hand.empty()) continue;
    Worker* const from = most_loaded();
    if (from == nullptr) return;
    const Deadline now = Clock::now();
    const auto waits = from->per_call * (from->hand.calls() - 1);
    if (waits < worth_moving && now - from->busy_since < worth_moving) {
      return driver_.at(now + look_again);
    }
    if (!move_work(*from, *idle)) return;
  }
}

Worker* Supervisor::most_loaded() {
  Worker* most = nullptr;
  std::uint32_t most_calls = 1;
  for (const auto& worker : seats_) {
    if (!worker || !worker->violation.empty()) continue;
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
  Assignment& work = *holding.work;
  const bool only = from.hand.calls() == 1;
  const std::uint32_t keep =
      only ? holding.settled + (holding.limit - holding.settled + 1) / 2 : 0;
  const std::uint32_t limit =
      from.end.take_back(holding.sequence, holding.count, holding.limit,
                         std::max(keep, holding.settled));
  if (limit >= holding.limit || limit < holding.settled) return false;
  const std::uint32_t taken = holding.limit - limit;
  holding.limit = limit;
  Assignment& moved = ledger_.remainder(work, limit, taken);
  if (holding.settled == limit) completed_or_moved(from, holding, moved);
  if (needs_slab(moved)) {
    add_chore([this, &moved](Lock& lock) { prepare(moved, lock); });
    return false;
  }
  ledger_.push_front(moved);
  if (!send(to, moved)) return false;
  ledger_.pop_front();
  to.end.ring();
  return true;
}

/// Nothing of it is left with this worker. A call that was moved whole is not over.
void Supervisor::completed_or_moved(Worker& worker, Holding& holding,
                                    const detail::Assignment& moved) {
  if (holding.work != &moved) return completed(worker, holding);
  if (holding.arena_size != 0) worker.end.arena().free(holding.arena_at, holding.arena_size);
  worker.hand.close(holding);
}

}  // namespace procpool::inline v0::supervisor
