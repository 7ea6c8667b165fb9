// An input that knows what has been read of it.
#pragma once

#include <climits>
#include <cstddef>
#include <iterator>
#include <thread>

namespace procpool::test {

// 0, 1, …, up to `count`; tells how many elements have been read and by which thread.
struct CountedRange {
  explicit CountedRange(int most = INT_MAX) : count(most) {}
  CountedRange(CountedRange&&) = default;

  struct iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    CountedRange* range = nullptr;
    int operator*() const {
      range->reader = std::this_thread::get_id();
      return range->pulled++;
    }
    iterator& operator++() { return *this; }
    void operator++(int) {}
    friend bool operator==(const iterator& it, std::default_sentinel_t) {
      return it.range->pulled == it.range->count;
    }
  };
  iterator begin() { return {this}; }
  std::default_sentinel_t end() const { return {}; }

  int count;
  int pulled = 0;
  std::thread::id reader = std::this_thread::get_id();
};

}  // namespace procpool::test
