#pragma once

// What    Which elements of a share nobody has begun: one word, [next, limit).
// Writers `claim`: the thread that runs the share. `shorten`: who holds the core's lock.
// Order   Sequentially consistent: an element is either claimed or taken back.

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace procpool::inline v0::local {

struct Claimed {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  bool empty() const { return first == last; }
};

class Range {
 public:
  explicit Range(std::uint32_t count) : word_(pack(0, count)) {}

  /// The next ones, at most so many.
  Claimed claim(std::uint32_t most) {
    std::uint64_t now = word_;
    for (;;) {
      const std::uint32_t next = next_of(now);
      const std::uint32_t last = next + std::min(most, limit_of(now) - next);
      if (last == next) return {};
      if (word_.compare_exchange_weak(now, pack(last, limit_of(now)))) return {next, last};
    }
  }
  /// Leaves so many unclaimed at most. What is taken off.
  Claimed shorten(std::uint32_t keep) {
    std::uint64_t now = word_;
    for (;;) {
      const std::uint32_t limit = std::min(limit_of(now), next_of(now) + keep);
      if (limit == limit_of(now)) return {};
      if (word_.compare_exchange_weak(now, pack(next_of(now), limit))) {
        return {limit, limit_of(now)};
      }
    }
  }
  std::uint32_t left() const {
    const std::uint64_t now = word_;
    return limit_of(now) - next_of(now);
  }
  std::uint32_t claimed() const { return next_of(word_); }

 private:
  static constexpr std::uint64_t pack(std::uint32_t next, std::uint32_t limit) {
    return std::uint64_t{limit} << 32 | next;
  }
  static constexpr std::uint32_t next_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(word);
  }
  static constexpr std::uint32_t limit_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32);
  }

  std::atomic<std::uint64_t> word_;
};

}  // namespace procpool::inline v0::local
