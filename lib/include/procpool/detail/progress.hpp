#pragma once

// How a map's progress reaches its callback.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <utility>

#include <procpool/options.hpp>

namespace procpool::inline v0::detail {

/// Counts on any thread; reports on the callback thread. At most one report is under way.
class MapProgress {
 public:
  /// `total` 0: not known.
  MapProgress(Progress call, std::size_t total) : call_(std::move(call)), total_(total) {}

  /// True: nobody reports yet, so `report` is to be called back.
  bool ended(std::size_t elements) {
    done_ += elements;
    return !under_way_.exchange(true);
  }
  void report() {
    under_way_ = false;  // before the count is read: what ends after that asks for another report
    call_({done_, total_, std::chrono::steady_clock::now() - start_});
  }

 private:
  Progress call_;
  std::size_t total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::size_t> done_ = 0;
  std::atomic<bool> under_way_ = false;
};

}  // namespace procpool::inline v0::detail
