#pragma once

// Monotonic time as private code speaks of it.

#include <procpool/detail/time.hpp>

namespace procpool::inline v0 {

using Clock = std::chrono::steady_clock;
using Deadline = detail::Time;

inline constexpr Deadline never = detail::forever;

template <class Rep, class Period>
Deadline deadline_after(std::chrono::duration<Rep, Period> d) {
  return detail::time_after(d);
}

}  // namespace procpool::inline v0
