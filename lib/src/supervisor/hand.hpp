#pragma once

// What one worker has in its hands: per slot, whose call it is and how far it got. The authority on
// that; the claim words in shared memory are evidence.

#include <array>
#include <cstdint>
#include <optional>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>

#include "shm/layout.hpp"

namespace procpool::inline v0::supervisor {

inline constexpr std::uint32_t no_block = 0xffffffff;

struct Holding {
  std::uint64_t sequence = 0;
  detail::Assignment* work = nullptr;  // null: a message, or nothing is awaited any more
  std::uint32_t count = 0;             // elements sent
  std::uint32_t limit = 0;             // of them, left to this worker
  std::uint32_t settled = 0;           // of them, in order
  std::uint32_t arena_at = 0;
  std::uint32_t arena_size = 0;
  std::uint32_t stage_block = no_block;  // of a flat chunk
};

/// Of the element that would be settled next, in its map; of a call 0.
inline std::size_t index_of(const Holding& holding) {
  if (!holding.work->is_chunk) return 0;
  const auto& chunk = static_cast<const detail::Chunk&>(*holding.work);
  return std::size_t{chunk.batch->elements.first_index} + chunk.first + holding.settled;
}

class Hand {
 public:
  /// Slots that `count` more messages could go into now.
  bool has_room(std::uint64_t count) const { return tail_ - base_ + count <= shm::slot_count; }
  /// Calls whose outcome is awaited, and the elements of them that are.
  std::uint32_t calls() const { return calls_; }
  std::uint32_t elements() const { return elements_; }
  bool empty() const { return calls_ == 0; }

  void put(const Holding& holding) {
    slots_[tail_++ % shm::slot_count] = holding;
    if (holding.work == nullptr) return;
    ++calls_;
    elements_ += holding.limit - holding.settled;
  }
  /// The outcomes of its next elements have come.
  void settled(Holding& holding, std::uint32_t count = 1) {
    holding.settled += count;
    elements_ -= count;
  }
  /// Elements from `limit` on were taken back.
  void lower(Holding& holding, std::uint32_t limit) {
    elements_ -= holding.limit - limit;
    holding.limit = limit;
  }
  /// The holding an outcome speaks of; null when there is none such.
  Holding* find(std::uint32_t call) {
    Holding& holding = slots_[call % shm::slot_count];
    const bool here = holding.work != nullptr && static_cast<std::uint32_t>(holding.sequence) == call;
    return here ? &holding : nullptr;
  }
  /// Nothing more is awaited from it.
  void close(Holding& holding) {
    elements_ -= holding.limit - holding.settled;
    holding.work = nullptr;
    --calls_;
  }
  /// The worker is known to have passed every slot before this one. Slots are reused when they are
  /// passed and nothing is awaited from them.
  void passed(std::uint64_t sequence) {
    if (sequence > passed_) passed_ = sequence < tail_ ? sequence : tail_;
    while (base_ < passed_ && slots_[base_ % shm::slot_count].work == nullptr) ++base_;
  }

  /// Whether an outcome is awaited from a slot before this one.
  bool awaits_before(std::uint64_t sequence) const {
    for (std::uint64_t at = base_; at < sequence && at != tail_; ++at) {
      if (slots_[at % shm::slot_count].work != nullptr) return true;
    }
    return false;
  }

  /// Oldest first, those whose outcome is awaited. `visit` may close the one it is given.
  template <class Visit>
  void each(Visit visit) {
    for (std::uint64_t at = base_; at != tail_; ++at) {
      Holding& holding = slots_[at % shm::slot_count];
      if (holding.work != nullptr) visit(holding);
    }
  }
  /// The oldest whose outcome is awaited: what the worker runs, if it runs anything.
  Holding* first() {
    for (std::uint64_t at = base_; at != tail_; ++at) {
      Holding& holding = slots_[at % shm::slot_count];
      if (holding.work != nullptr) return &holding;
    }
    return nullptr;
  }
  Holding* last() {
    for (std::uint64_t at = tail_; at != base_; --at) {
      Holding& holding = slots_[(at - 1) % shm::slot_count];
      if (holding.work != nullptr) return &holding;
    }
    return nullptr;
  }

 private:
  std::array<Holding, shm::slot_count> slots_{};
  std::uint64_t base_ = 0;    // oldest slot that cannot be used again yet
  std::uint64_t tail_ = 0;    // as the slot writer's
  std::uint64_t passed_ = 0;
  std::uint32_t calls_ = 0;
  std::uint32_t elements_ = 0;
};

}  // namespace procpool::inline v0::supervisor
