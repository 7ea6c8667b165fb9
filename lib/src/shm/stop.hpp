#pragma once

// What    The word by which the supervisor asks a task to stop: which element of which slot.
// Writers The supervisor, under its lock. Workers read.
// Order   None: nothing else is published with it. Those who sleep until it changes wait on
//         `stop_changes`, which is raised after it.
// Death   Of either side: nothing is left that matters.

#include <cstdint>

namespace procpool::inline v0::shm {

/// Never 0. Elements have 24 bits (claim.hpp); a sequence that is 2^40 later looks the same.
constexpr std::uint64_t stop_word(std::uint64_t sequence, std::uint32_t element) {
  return (sequence + 1) << 24 | element;
}

}  // namespace procpool::inline v0::shm
