#pragma once

// Durations of any kind as points in time, saturating.

#include <chrono>

namespace procpool::inline v0::detail {

using Time = std::chrono::steady_clock::time_point;
inline constexpr Time forever = Time::max();

template <class Rep, class Period>
Time time_after(std::chrono::duration<Rep, Period> d) {
  const Time now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> wanted = d;
  if (!(wanted < std::chrono::duration<double>(forever - now))) return forever;
  if (wanted <= std::chrono::duration<double>::zero()) return now;
  return now + std::chrono::duration_cast<Time::duration>(d);
}

/// A time of any clock, however coarse; how far off it is is asked now.
template <class Clock, class Duration>
Time time_at(std::chrono::time_point<Clock, Duration> t) {
  using Seconds = std::chrono::duration<double>;  // in which nothing overflows
  constexpr Seconds far(1e6);                     // and which is exact enough for what is nearer
  const auto now = Clock::now();
  const Seconds left = Seconds(t.time_since_epoch()) - Seconds(now.time_since_epoch());
  if (left <= Seconds::zero()) return Time();
  return left > far ? time_after(left) : time_after(t - now);
}

}  // namespace procpool::inline v0::detail
