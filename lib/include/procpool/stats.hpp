#pragma once

/// \file
/// What a pool has done so far.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace procpool::inline v0 {

/// A snapshot; the counts are since the pool was made. A map counts as one task here.
struct PoolStats {
  bool open = true;             ///< takes work: neither closed, nor terminated, nor broken
  std::uint64_t submitted = 0;  ///< tasks taken
  std::uint64_t done = 0;       ///< of them, ended in whatever way
  std::size_t waiting = 0;      ///< calls (a chunk of a map is one) not yet given to a worker
  std::size_t handed = 0;       ///< calls that workers hold: running, or next
  std::size_t pending_bytes = 0;       ///< see PoolOptions::max_pending_bytes; 0 without a limit
  std::uint64_t workers_started = 0;   ///< replacements included
  std::uint64_t workers_crashed = 0;   ///< ended without having been told to
  std::uint64_t workers_recycled = 0;  ///< max_tasks_per_child, memory growth
  /// What of PoolOptions::sandbox the kernel could not enforce, a line each; empty: it is whole.
  std::vector<std::string> sandbox_gaps = {};
};

}  // namespace procpool::inline v0
