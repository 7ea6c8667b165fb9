#pragma once

// What    A memory of its own for one large call at a time (home writes it, workers map it read-only),
//         or, then called a room, for one large result (one worker writes it, home reads it).
// Owner   Of a call's slab: the pool (slab_store.hpp). Of a room: one worker's Rooms (rooms.hpp).
// Lease   A call's slab is held by its task until it is settled, so that a retry can send it again.
//         A room is held by the outcome for as long as that keeps its bytes (each byte is read once: the
//         worker may still write there). Then both are used again: fresh pages cost five times the copy.
// Death   Of the worker: home's mapping keeps what was written; the bytes are checked as ever.

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "os/memory.hpp"

namespace procpool::inline v0::channel {

/// For how long an idle slab or room is kept. Too short: fresh pages for calls that come now and then;
/// too long: memory that others could use.
inline constexpr auto slab_keep_time = std::chrono::seconds(1);

/// For what grows a memory of so many times its bytes is taken, and one is kept for a use of this part of
/// it. Too low: more copies; too high: large memories for small values.
inline constexpr std::uint64_t growth_factor = 4;

struct Slab {
  std::uint32_t number = 0;  // even: a call's, of the pool's own; odd: a room, by its place
  os::Fd memory;
  os::Mapping mapping;
  std::shared_ptr<const void> life = {};  // of a call's: there as long as it is (a weak pointer tells)

  std::uint64_t size() const { return mapping.size(); }
};

constexpr bool is_room(std::uint32_t number) { return number % 2 != 0; }
constexpr std::uint32_t room_number(std::uint32_t place) { return place * 2 + 1; }
constexpr std::uint32_t room_place(std::uint32_t number) { return number / 2; }

/// How large a memory for so many bytes is made, so that it fits for a little more: at most an eighth
/// more, in whole pages. Of what no machine has: no more than that.
std::uint64_t slab_size(std::uint64_t bytes);

/// Which of two memories that fit is better for so many bytes: the smaller one. `growing`: more may be
/// needed soon, so one of four times as many, if there is one.
constexpr bool fits_better(std::uint64_t size, std::uint64_t other, std::uint64_t bytes, bool growing) {
  const bool ample = !growing || size / growth_factor >= bytes;
  const bool other_ample = !growing || other / growth_factor >= bytes;
  return ample != other_ample ? ample : size < other;
}
/// Whether so many bytes are a use for which a memory of that size is worth keeping.
constexpr bool is_worth(std::uint64_t size, std::uint64_t bytes) { return bytes >= size / growth_factor; }

/// Takes long.
void free_slabs(std::vector<std::shared_ptr<Slab>> slabs) noexcept;

}  // namespace procpool::inline v0::channel
