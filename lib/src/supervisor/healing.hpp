#pragma once

// When a worker may be started again: a pure function of what happened before.

#include <chrono>
#include <optional>

#include "base/deadline.hpp"

namespace procpool::inline v0::supervisor {

inline constexpr unsigned default_start_failures = 5;  // PoolOptions::max_start_failures
inline constexpr auto first_delay = std::chrono::milliseconds(10);
inline constexpr auto longest_delay = std::chrono::seconds(1);

/// Starts that failed since the last worker that came up.
struct StartRecord {
  unsigned most_failures = default_start_failures;
  unsigned failures = 0;

  void succeeded() { failures = 0; }
  void failed() { ++failures; }
};

/// How long to wait before the next start; nullopt: give up. While others work the pool never gives
/// up, it waits longer and longer. Nothing waits while nothing failed.
inline std::optional<std::chrono::milliseconds> next_start(const StartRecord& record,
                                                           bool others_work) {
  if (record.failures == 0) return std::chrono::milliseconds(0);
  if (record.failures >= record.most_failures && !others_work) return std::nullopt;
  auto delay = first_delay;
  for (unsigned i = 1; i < record.failures && delay < longest_delay; ++i) delay *= 2;
  return std::min<std::chrono::milliseconds>(delay, longest_delay);
}

}  // namespace procpool::inline v0::supervisor
