#pragma once

// How many elements of a flat chunk are claimed at once: as many as take a while, by the time that the
// last ones took.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/deadline.hpp"

namespace procpool::inline v0 {

class BlockPace {
 public:
  /// For the next block; asked when it is claimed.
  std::uint32_t next(std::uint32_t most) {
    const Deadline now = Clock::now();
    if (since_ != Deadline()) {
      if (now - since_ < least_time) pace_ *= 2;
      if (now - since_ > most_time) pace_ = std::max(pace_ / 2, 1U);
    }
    since_ = now;
    return pace_ = std::min(pace_, most);
  }

 private:
  // Too short: a record for few values; too long: what is claimed cannot be taken back for an idle
  // worker.
  static constexpr auto least_time = std::chrono::microseconds(20);
  static constexpr auto most_time = std::chrono::microseconds(100);

  std::uint32_t pace_ = 16;
  Deadline since_ = {};
};

}  // namespace procpool::inline v0
