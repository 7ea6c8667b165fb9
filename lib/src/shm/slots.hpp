#pragma once

// What    The ring of 64-byte slots through which calls reach one worker.
// Writers slots and tail: the supervisor. The worker maps both read-only; how far it is, only it
//         knows, and the supervisor learns from outcomes (never from an index the worker writes).
// Order   Supervisor: slot bytes, then tail (ordered store; pairs with the worker's look before it
//         sleeps). Worker: tail (ordered), then the slot's bytes, of which it keeps a copy, then
//         the claim word, then what the slot points to.
// Reuse   `SlotWriter::push` may be called only while fewer than slot_count slots are outstanding;
//         a slot is outstanding until its outcome is settled, or it was taken back and the worker
//         is known to have passed it. The supervisor's ledger counts. So the slot of a call may be
//         written again while its worker, with the last outcome published, still looks at the claim
//         word: from its first outcome on a worker reads the copy, not the slot.
// Death   Of the worker: the slots are intact (it could not write them): retry reads them. Of the
//         supervisor: the worker's lifeline ends it.

#include <cstdint>
#include <cstring>
#include <span>

#include "shm/atomics.hpp"

namespace procpool::inline v0::shm {

template <class SlotType, class Word>
class SlotWriter {
 public:
  SlotWriter(std::span<SlotType> slots, Word& tail) : slots_(slots), tail_word_(&tail) {}

  /// The slot the next `publish` makes visible.
  SlotType& next() { return slots_[tail_ % slots_.size()]; }
  std::uint64_t publish() {
    store_ordered(*tail_word_, tail_ + 1);
    return tail_++;
  }
  std::uint64_t published() const { return tail_; }

 private:
  std::span<SlotType> slots_;
  Word* tail_word_;
  std::uint64_t tail_ = 0;
};

template <class SlotType, class Word>
class SlotReader {
 public:
  SlotReader(std::span<const SlotType> slots, const Word& tail)
      : slots_(slots), tail_word_(&tail) {}

  /// Whether there is a slot that was not passed yet (ordered: usable as the look before sleep).
  bool visible() {
    if (at_ != seen_) return true;
    seen_ = load_ordered(*tail_word_);
    return at_ != seen_;
  }
  const SlotType& current() const { return slots_[at_ % slots_.size()]; }
  std::uint64_t sequence() const { return at_; }
  void pass() { ++at_; }

 private:
  std::span<const SlotType> slots_;
  const Word* tail_word_;
  std::uint64_t at_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace procpool::inline v0::shm
