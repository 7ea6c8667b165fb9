#include "ledger/ledger.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include <procpool/detail/progress.hpp>
#include <procpool/errors.hpp>

namespace procpool::inline v0::ledger {

using detail::Assignment;
using detail::Batch;
using detail::Chunk;
using detail::Node;
using detail::Outcome;
using detail::LibraryRef;

namespace {

Chunk& chunk_of(Assignment& work) { return static_cast<Chunk&>(work); }

}  // namespace

Node& Ledger::node_of(const Assignment& work) {
  if (work.is_chunk) return *static_cast<const Chunk&>(work).batch;
  return const_cast<Node&>(static_cast<const Node&>(work));
}

// ---- in ------------------------------------------------------------------------------------------

void Ledger::enter(Node& node) {
  node.retain(detail::Share::library);
  ++outstanding_;
  ++entered_;
}

void Ledger::enter(Node& node, std::size_t bytes) {
  enter(node);
  charge(node, bytes);
  waiting_.push_back(node);
}

/// Null: it has no elements.
std::unique_ptr<Chunk> Ledger::whole(Batch& batch) {
  if (batch.elements.count() == 0) return nullptr;
  auto all = std::make_unique<Chunk>(batch);
  all->count = batch.elements.count();
  return all;
}

void Ledger::enter_batch(Batch& batch, std::unique_ptr<Chunk> all, std::size_t bytes) {
  enter(batch);
  charge(batch, bytes);
  if (all) {
    batch.under_way = 1;
    return waiting_.push_back(*all.release());
  }
  end(batch);
  release(batch);
}

void Ledger::enter_held(Node& node) {
  enter(node);
  held_.push_back(node);
  node.held = true;
}

void Ledger::release_held(Node& node) {
  held_.remove(node);
  node.held = false;
  waiting_.push_back(node);
}

/// Wherever it waits; false: it does not.
bool Ledger::withdraw(Node& node) {
  if (node.waits) {
    waiting_.remove(node);
  } else if (node.held) {
    held_.remove(node);
  } else {
    return false;
  }
  finish(node);
  return true;
}

void Ledger::charge(Node& node, std::size_t bytes) {
  if (bytes == 0) return;
  node.more().charged = bytes;
  pending_bytes_ += bytes;
}

/// Some elements of the same batch, as an assignment of their own.
Chunk& Ledger::new_chunk(const Assignment& like, std::uint32_t first, std::uint32_t count) {
  Batch& batch = *static_cast<const Chunk&>(like).batch;
  auto* const chunk = new Chunk(batch);
  chunk->first = chunk->part.first = first;
  chunk->count = count;
  chunk->retries = like.retries;
  chunk->attempt = like.attempt;
  ++batch.under_way;
  return *chunk;
}

Chunk& Ledger::cut(Chunk& waiting, std::uint32_t count) {
  if (count >= waiting.count) {
    waiting_.remove(waiting);
    return waiting;
  }
  Chunk& piece = new_chunk(waiting, waiting.first, count);
  waiting.first += count;
  waiting.part.first += count;
  waiting.count -= count;
  return piece;
}

Assignment* Ledger::waiting_of(const Node& node) {
  if (!node.is_batch) return node.waits ? &const_cast<Node&>(node) : nullptr;
  Assignment* found = nullptr;
  waiting_.each([&](Assignment& work) {
    if (found == nullptr && &node_of(work) == &node) found = &work;
  });
  return found;
}

// ---- outcomes ------------------------------------------------------------------------------------

void Ledger::settle(Assignment& work, Outcome outcome, std::span<const std::byte> bytes) {
  Node& node = node_of(work);
  if (work.is_chunk) {
    chunk_of(work).part.add(outcome, bytes);
    return ended_elements(static_cast<Batch&>(node), 1, outcome != Outcome::value);
  }
  if (node.done()) return;
  node.payload.assign(bytes);
  node.outcome = outcome;
}

void Ledger::settle_run(Assignment& work, std::uint32_t count, std::span<const std::byte> values) {
  Chunk& chunk = chunk_of(work);
  Batch& batch = *chunk.batch;
  if (!batch.done()) {
    const std::size_t at = std::size_t{chunk.part.end()} * batch.result_size;
    std::memcpy(batch.sink + at, values.data(), values.size());
  }
  chunk.part.add_run(Outcome::placed, count);
  ended_elements(batch, count, false);
}

void Ledger::settle_part(Assignment& work, detail::Part&& outcomes, bool failed) {
  Chunk& chunk = chunk_of(work);
  const std::uint32_t count = outcomes.count;
  if (chunk.part.count == 0) {
    outcomes.first = chunk.part.first;
    chunk.part = std::move(outcomes);
  } else {
    chunk.part.append(std::move(outcomes));
  }
  ended_elements(*chunk.batch, count, failed);
}

void Ledger::settle_lent(Assignment& work, Outcome outcome, detail::Part::Lent bytes) {
  Node& node = node_of(work);
  if (work.is_chunk) {
    chunk_of(work).part.add(outcome, std::move(bytes));
    return ended_elements(static_cast<Batch&>(node), 1, outcome != Outcome::value);
  }
  if (node.done()) return garbage_.slabs.push_back(std::move(bytes.keeper));
  node.payload.lend(bytes.bytes, std::move(bytes.keeper));
  node.outcome = outcome;
}

void Ledger::settle_error(Assignment& work, std::exception_ptr error) {
  Node& node = node_of(work);
  if (work.is_chunk) {
    chunk_of(work).part.add(std::move(error));
    return ended_elements(static_cast<Batch&>(node), 1, true);
  }
  if (node.done()) return;
  if (!node.held) put_aside(node.payload);
  node.more().error = std::move(error);
  node.outcome = Outcome::error;
}

void Ledger::ended_elements(Batch& batch, std::uint32_t count, bool failed) {
  if (failed && batch.fail_fast && !batch.discarded) {
    batch.discarded = true;
    failed_.push_back(LibraryRef<Batch>::share(&batch));
  }
  if (!batch.extras || !batch.extras->progress) return;
  const auto& progress = batch.extras->progress;
  if (progress->ended(count)) wakes_->call_back({[progress] { progress->report(); }});
}

/// The outcomes that the chunk has so far go to its batch.
void Ledger::hand_in(Chunk& chunk) {
  Batch& batch = *chunk.batch;
  const std::uint32_t next = chunk.part.end();
  batch.settled += chunk.part.count;
  if (chunk.part.count != 0) {
    (batch.done() ? garbage_.parts : batch.parts).push_back(std::move(chunk.part));
  }
  chunk.part = {};
  chunk.part.first = next;
  if (batch.settled == batch.elements.count() && !batch.done()) end(batch);
}

void Ledger::finish(Assignment& work) {
  Node& node = node_of(work);
  if (!work.is_chunk) {
    if (!node.done()) end(node);
    return release(node);
  }
  const std::unique_ptr<Chunk> chunk(&chunk_of(work));
  if (chunk->slab) garbage_.slabs.push_back(std::move(chunk->slab));
  hand_in(*chunk);
  if (--chunk->batch->under_way == 0) release(node);
}

void Ledger::answered(Assignment& work) {
  if (work.is_chunk) return hand_in(chunk_of(work));
  Node& node = node_of(work);
  if (!node.done()) end(node);
}

Assignment& Ledger::remainder(Assignment& work, std::uint32_t element, std::uint32_t count) {
  if (!work.is_chunk) return work;
  return new_chunk(work, work.first + element, count);
}

Assignment& Ledger::lift(Assignment& work) {
  if (!work.is_chunk) return work;
  Chunk& chunk = chunk_of(work);
  Assignment& lifted = remainder(work, chunk.part.end() - work.first, 1);
  hand_in(chunk);
  ++chunk.part.first;
  return lifted;
}

// ---- ends ----------------------------------------------------------------------------------------

/// The node's outcome is what it is: everybody learns of it.
void Ledger::end(Node& node) {
  if (node.is_batch && node.outcome == Outcome::none) {
    auto& batch = static_cast<Batch&>(node);
    std::ranges::sort(batch.parts, {}, &detail::Part::first);
    batch.outcome = Outcome::value;
  }
  std::vector<std::shared_ptr<detail::CompletionQueue>> queues;
  std::vector<std::function<void()>> callbacks;
  if (detail::Extras* const extras = node.extras.get()) {
    if (extras->slab) garbage_.slabs.push_back(std::move(extras->slab));
    std::ranges::move(std::exchange(extras->attachments, {}), std::back_inserter(garbage_.slabs));
    queues = std::exchange(extras->queues, {});
    callbacks = std::exchange(extras->callbacks, {});
    for (auto& each : std::exchange(extras->continuations, {})) {
      garbage_.continuations.push_back(std::move(each));
    }
    extras->updates.reset();
    if (extras->charged != 0) {
      pending_bytes_ -= std::exchange(extras->charged, 0);
      wakes_->wake_all(room_waiters);
    }
  }
  ++ended_;
  node.mark_done();
  wakes_->wake_all(node.waiters);
  for (const auto& queue : queues) {
    queue->ready.push_back(&node);
    wakes_->wake_all(queue->waiters);
  }
  if (!callbacks.empty()) wakes_->call_back(std::move(callbacks));
}

/// It is empty then. Large memory is freed without the lock.
void Ledger::put_aside(detail::Payload& payload) {
  if (payload.size() > detail::Payload::inline_bytes) garbage_.payloads.push_back(std::move(payload));
  payload.clear();
}

/// Nothing more can come of it, and nobody reads its arguments any more.
void Ledger::release(Node& node) {
  --outstanding_;
  if (node.is_batch) {
    garbage_.bytes.push_back(std::move(static_cast<Batch&>(node).elements.bytes));
  } else if (node.cancelled && !node.held) {
    put_aside(node.payload);
  }
  garbage_.nodes.push_back(LibraryRef<Node>::adopt(&node));
}

void Ledger::cancel(Node& node) {
  node.more().error = std::make_exception_ptr(Cancelled("the task was cancelled"));
  node.outcome = Outcome::error;
  node.cancelled = true;
  if (node.is_batch) {
    std::ranges::move(std::exchange(static_cast<Batch&>(node).parts, {}),
                      std::back_inserter(garbage_.parts));
  }
  end(node);
}

void Ledger::drop(Assignment& work) {
  if (!work.is_chunk && !node_of(work).done()) cancel(node_of(work));
  abandon(work, work.count);
}

void Ledger::abandon(Assignment& work, std::uint32_t elements) {
  if (work.is_chunk) {
    chunk_of(work).part.add_run(Outcome::cancelled, elements);
    ended_elements(*chunk_of(work).batch, elements, false);
  }
  finish(work);
}

void Ledger::discard(Batch& batch) {
  batch.discarded = true;
  waiting_.each([&](Assignment& work) {
    if (&node_of(work) != &batch) return;
    waiting_.remove(work);
    drop(work);
  });
}

void Ledger::cancel_waiting() {
  waiting_.each([&](Assignment& work) {
    Node& node = node_of(work);
    waiting_.remove(work);
    const bool untouched = !work.is_chunk || work.count == static_cast<Batch&>(node).elements.count();
    if (untouched && !node.done()) cancel(node);
    drop(work);
  });
  while (Assignment* const work = held_.front()) {
    held_.remove(*work);
    cancel(node_of(*work));
    finish(*work);
  }
}

}  // namespace procpool::inline v0::ledger
