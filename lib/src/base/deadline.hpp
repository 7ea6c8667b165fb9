#pragma once

// Monotonic time as private code speaks of it. Public durations saturate into a Deadline.

#include <chrono>

namespace procpool::inline v0 {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

inline constexpr Deadline never = Deadline::max();

/// `now + d`, saturating: a duration too long to represent means never.
template <class Rep, class Period>
Deadline deadline_after(std::chrono::duration<Rep, Period> d) {
  const Deadline now = Clock::now();
  const std::chrono::duration<double> wanted = d;
  const std::chrono::duration<double> room = never - now;
  if (wanted >= room) return never;
  return now + std::chrono::duration_cast<Clock::duration>(d);
}

}  // namespace procpool::inline v0
