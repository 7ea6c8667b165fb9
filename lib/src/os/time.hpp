#pragma once

// Deadlines as the kernel wants them.

#include <time.h>

#include <algorithm>
#include <chrono>

#include "base/deadline.hpp"

namespace procpool::inline v0::os {

/// A span of time that is not negative.
inline timespec to_timespec(Clock::duration span) noexcept {
  const auto ns = std::max<std::chrono::nanoseconds::rep>(
      0, std::chrono::duration_cast<std::chrono::nanoseconds>(span).count());
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

/// Absolute, on CLOCK_MONOTONIC (which is what steady_clock reads).
inline timespec absolute(Deadline until) noexcept { return to_timespec(until.time_since_epoch()); }

/// What is left of it; zero when it has passed. Reads no clock for a deadline of zero.
inline timespec remaining(Deadline until) noexcept {
  if (until <= Deadline{}) return {0, 0};
  return to_timespec(until - Clock::now());
}

}  // namespace procpool::inline v0::os
