#include "supervisor/ledger.hpp"

#include <algorithm>

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using detail::Batch;
using detail::Chunk;
using detail::Node;
using detail::Outcome;

namespace {

Chunk& chunk_of(Assignment& work) { return static_cast<Chunk&>(work); }

}  // namespace

Node& Ledger::node_of(Assignment& work) {
  return work.is_chunk ? static_cast<Node&>(*chunk_of(work).batch) : static_cast<Node&>(work);
}

void Ledger::enter(Node& node) {
  node.retain();
  ++outstanding_;
  push_back(node);
}

void Ledger::enter_batch(Batch& batch, std::vector<std::unique_ptr<Chunk>> chunks) {
  batch.retain();
  ++outstanding_;
  for (auto& chunk : chunks) push_back(*chunk.release());
  if (batch.elements.count() == 0) done(batch);
}

void Ledger::push_back(Assignment& work) {
  work.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &work;
  last_ = &work;
}

void Ledger::push_front(Assignment& work) {
  work.next = first_;
  first_ = &work;
  if (last_ == nullptr) last_ = &work;
}

Assignment* Ledger::pop_front() {
  Assignment* const work = first_;
  if (work == nullptr) return nullptr;
  first_ = work->next;
  if (first_ == nullptr) last_ = nullptr;
  return work;
}

void Ledger::settle(Assignment& work, Outcome outcome, std::span<const std::byte> bytes) {
  if (work.is_chunk) return chunk_of(work).part.add(outcome, bytes);
  Node& node = node_of(work);
  node.payload.assign(bytes);
  node.outcome = outcome;
}

void Ledger::settle_lent(Assignment& work, Outcome outcome, detail::Part::Lent bytes) {
  if (work.is_chunk) return chunk_of(work).part.add(outcome, std::move(bytes));
  Node& node = node_of(work);
  node.payload.lend(bytes.bytes, std::move(bytes.keeper));
  node.outcome = outcome;
}

void Ledger::settle_error(Assignment& work, std::exception_ptr error) {
  if (work.is_chunk) return chunk_of(work).part.add(std::move(error));
  Node& node = node_of(work);
  node.payload.clear();
  node.more().error = std::move(error);
  node.outcome = Outcome::error;
}

void Ledger::finish(Assignment& work) {
  if (!work.is_chunk) return done(node_of(work));
  const std::unique_ptr<Chunk> chunk(&chunk_of(work));
  Batch& batch = *chunk->batch;
  if (chunk->slab) garbage_.slabs.push_back(std::move(chunk->slab));
  batch.settled += static_cast<std::uint32_t>(chunk->part.entries.size());
  if (!chunk->part.entries.empty()) batch.parts.push_back(std::move(chunk->part));
  if (batch.settled == batch.elements.count()) done(batch);
}

Assignment& Ledger::remainder(Assignment& work, std::uint32_t element, std::uint32_t count) {
  if (!work.is_chunk) return work;
  auto rest = std::make_unique<Chunk>(*chunk_of(work).batch);
  rest->first = work.first + element;
  rest->count = count;
  rest->part.first = rest->first;
  rest->retries = work.retries;
  rest->attempt = work.attempt;
  return *rest.release();
}

void Ledger::done(Node& node) {
  if (node.is_batch) {
    auto& batch = static_cast<Batch&>(node);
    std::ranges::sort(batch.parts, {}, &detail::Part::first);
    batch.outcome = Outcome::value;
  }
  std::shared_ptr<detail::CompletionQueue> queue;
  std::vector<std::function<void()>> callbacks;
  if (node.extras) {
    if (node.extras->slab) garbage_.slabs.push_back(std::move(node.extras->slab));
    queue = std::move(node.extras->queue);
    callbacks = std::move(node.extras->callbacks);
  }
  node.mark_done();
  --outstanding_;
  for (auto* waiter = node.waiters.first; waiter != nullptr; waiter = waiter->next) {
    wakes_->wake(*waiter);
  }
  if (queue) {
    queue->ready.push_back(&node);
    for (auto* w = queue->waiters.first; w != nullptr; w = w->next) wakes_->wake(*w);
  }
  if (!callbacks.empty()) wakes_->call_back(std::move(callbacks));
  garbage_.nodes.push_back(detail::Ref<Node>::adopt(&node));
}

void Ledger::discard(Batch& batch) {
  batch.discarded = true;
  Assignment* waiting = std::exchange(first_, nullptr);
  last_ = nullptr;
  while (waiting != nullptr) {
    Assignment& work = *std::exchange(waiting, waiting->next);
    if (work.is_chunk && chunk_of(work).batch.get() == &batch) {
      fail(work, work.count, [] { return std::exception_ptr(); });
    } else {
      push_back(work);
    }
  }
}

}  // namespace procpool::inline v0::supervisor
