#pragma once

// What    Memory for chunks of many small plain values (flat chunks): blocks of arguments that home
//         writes and the worker reads, and for each a block of results, the other way round. Made for
//         a worker when a large map first comes to it, and used again for each chunk.
// Writers Arguments: the supervisor, while no call lies in the block. Results: the worker.
// Order   As slots and ring: a call's slot publishes its block; a record of kind `run` says how many
//         results are there. Each result is copied once.
// Death   Of the worker: the results before the element that ResultHeader::running names are there.

#include <bit>
#include <cstdint>

#include "os/memory.hpp"

namespace procpool::inline v0::channel {

class Stage {
 public:
  /// Too few or small: the worker sleeps between blocks; too many or large: caches are too small for
  /// them, and the supervisor holds its lock for long (it copies a block under it).
  static constexpr std::uint32_t blocks = 8;
  static constexpr std::uint32_t block_bytes = 64 * 1024;

  /// Throws std::system_error.
  Stage()
      : arguments_memory(os::make_memory("procpool-stage", std::size_t{blocks} * block_bytes)),
        results_memory(os::make_memory("procpool-stage", std::size_t{blocks} * block_bytes)),
        arguments_(arguments_memory, os::Access::read_write),
        results_(results_memory, os::Access::read_only) {
    os::seal_against_writers(arguments_memory);
    os::seal_finally(results_memory);
  }

  /// A free block, or `blocks`.
  std::uint32_t take() {
    const auto block = static_cast<std::uint32_t>(std::countr_one(used_));
    if (block < blocks) used_ |= 1U << block;
    return block;
  }
  void free(std::uint32_t block) { used_ &= ~(1U << block); }

  std::byte* arguments(std::uint32_t block) { return arguments_.data() + block * block_bytes; }
  const std::byte* results(std::uint32_t block) const {
    return results_.data() + block * block_bytes;
  }

  os::Fd arguments_memory;  // these two are closed once they were sent
  os::Fd results_memory;

 private:
  os::Mapping arguments_;
  os::Mapping results_;
  std::uint32_t used_ = 0;
};

}  // namespace procpool::inline v0::channel
