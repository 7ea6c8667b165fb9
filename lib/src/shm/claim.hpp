#pragma once

// What    The word by which a worker and the supervisor agree, once, who has which elements of the
//         call in a slot: {lap:16, limit:24, next:24}. Elements [0, next) were taken by the worker,
//         [next, limit) wait, [limit, count) were taken back. A single call is a range of one.
// Writers Both, by compare-and-swap: the worker only raises `next`, the supervisor only lowers
//         `limit`. A word that still carries another lap belongs to the slot's previous use and
//         counts as {lap, count, 0}: publishing a slot writes nothing here, so the line stays with
//         the worker. A slot is used again only when its word is exhausted (next == limit): every
//         element was taken, or taken back. Each call leaves its lap here, so the word that a call
//         finds is never 0xffff laps old and taken for its own.
// Order   Each successful exchange acquires and releases. The slot's bytes are published by the
//         slot tail (slots.hpp), not by this word.
// Death   Of the worker: `next` says what was started. It is evidence, not truth (a wild write can
//         reach it): the supervisor believes only a word that `progress` finds legal against its
//         own ledger. Of the supervisor: nothing is left that matters.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "shm/atomics.hpp"

namespace procpool::inline v0::shm {

inline constexpr std::uint32_t max_elements = (1U << 24) - 1;

struct Claim {
  std::uint16_t lap = 0;
  std::uint32_t limit = 0;
  std::uint32_t next = 0;

  static constexpr Claim unpack(std::uint64_t word) {
    return {static_cast<std::uint16_t>(word >> 48),
            static_cast<std::uint32_t>(word >> 24) & max_elements,
            static_cast<std::uint32_t>(word) & max_elements};
  }
  constexpr std::uint64_t pack() const {
    return std::uint64_t{lap} << 48 | std::uint64_t{limit} << 24 | next;
  }
  friend bool operator==(const Claim&, const Claim&) = default;
};

/// Elements [first, last) of a call.
struct Range {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint32_t size() const { return last - first; }
  bool empty() const { return first == last; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Lap 0 is never used, so that fresh (zero) memory is "another lap".
constexpr std::uint16_t lap_of(std::uint64_t sequence, std::uint32_t slots) {
  return static_cast<std::uint16_t>(sequence / slots % 0xffff + 1);
}

namespace claim {

/// Worker: the next elements, at most `block` of them. Empty: nothing (left) to run here.
/// `taken`: whether this worker has taken elements of this call before. If it has, a word of
/// another lap means that the supervisor has settled what was left and uses the slot again; if it
/// has not, the slot cannot have been used again, so the word is the previous call's.
template <class Word>
Range take(Word& word, std::uint16_t lap, std::uint32_t count, bool taken, std::uint32_t block) {
  std::uint64_t now = load_acquire(word);
  for (;;) {
    Claim claim = Claim::unpack(now);
    if (claim.lap != lap) {
      if (taken) return {};
      claim = {lap, count, 0};
    }
    if (claim.next >= claim.limit) return {};
    const Range range{claim.next, claim.next + std::min(block, claim.limit - claim.next)};
    claim.next = range.last;
    if (exchange_if(word, now, claim.pack())) return range;
  }
}

/// Supervisor: how far the worker got by this word, or nullopt when it is none that an honest
/// worker can leave behind, given the ledger's count and limit. While the ledger's limit is still
/// the count the word may be the slot's previous use, exhausted; once it was lowered the word
/// carries this lap.
constexpr std::optional<std::uint32_t> progress(std::uint64_t word, std::uint16_t lap,
                                                std::uint32_t count, std::uint32_t limit) {
  const Claim claim = Claim::unpack(word);
  if (claim.lap != lap) {
    if (limit != count || claim.next != claim.limit) return std::nullopt;
    return 0;
  }
  if (claim.limit != limit || claim.next > claim.limit) return std::nullopt;
  return claim.next;
}

/// How often the supervisor tries against a word that changes all the time. An honest worker
/// changes it once per block; too few: a busy one keeps what could be taken back (until the next
/// try); too many: a hostile one holds up the supervisor.
inline constexpr int patience = 1000;

/// Supervisor: takes back everything from `keep` on that the worker has not taken; `limit` is the
/// ledger's. Returns the new limit L <= `limit`: elements [L, limit) are the supervisor's again.
/// From a word that is not legal nothing is taken back (`started` tells).
template <class Word>
std::uint32_t lower_limit(Word& word, std::uint16_t lap, std::uint32_t count, std::uint32_t limit,
                          std::uint32_t keep) {
  std::uint64_t now = load_acquire(word);
  for (int tries = 0; tries != patience; ++tries) {
    const auto next = progress(now, lap, count, limit);
    if (!next || std::max(*next, keep) >= limit) return limit;
    const Claim lowered{lap, std::max(*next, keep), *next};
    if (exchange_if(word, now, lowered.pack())) return lowered.limit;
  }
  return limit;
}

/// Supervisor: how far the worker got, or nullopt (as `progress`).
template <class Word>
std::optional<std::uint32_t> started(const Word& word, std::uint16_t lap, std::uint32_t count,
                                     std::uint32_t limit) {
  return progress(load_acquire(word), lap, count, limit);
}

}  // namespace claim
}  // namespace procpool::inline v0::shm
