#pragma once

// What    One element of one slot, as a word. By it the supervisor asks an element to stop
//         (TaskHeader::stop), and a worker says which element of a flat chunk it runs
//         (ResultHeader::running).
// Writers TaskHeader::stop: the supervisor, under its lock. ResultHeader::running: the worker.
// Order   stop: none, nothing else is published with it; those who sleep until it changes wait on
//         `stop_changes`, which is raised after it. running: released after the results of the
//         elements before it.
// Death   Of the worker: `running` is evidence of what it was at; it is believed only within what
//         the claim word allows. Of the supervisor: nothing is left that matters.

#include <cstdint>

namespace procpool::inline v0::shm {

inline constexpr unsigned element_bits = 24;  // as in a claim word

/// Never 0. A sequence that is 2^40 later looks the same. The next element is one more.
constexpr std::uint64_t element_word(std::uint64_t sequence, std::uint32_t element) {
  return (sequence + 1) << element_bits | element;
}
constexpr bool is_of_slot(std::uint64_t word, std::uint64_t sequence) {
  return word >> element_bits == element_word(sequence, 0) >> element_bits;
}
constexpr std::uint32_t element_of(std::uint64_t word) {
  return static_cast<std::uint32_t>(word & ((std::uint64_t{1} << element_bits) - 1));
}

}  // namespace procpool::inline v0::shm
