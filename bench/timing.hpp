#pragma once

#include <chrono>
#include <cstddef>

namespace bench {

/// Seconds that `work` takes.
template <class Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Mean microseconds of `count` calls of `work` in a row.
template <class Work>
double microseconds_each(std::size_t count, Work work) {
  const double all = seconds([&] {
    for (std::size_t i = 0; i != count; ++i) work();
  });
  return all / static_cast<double>(count) * 1e6;
}

}  // namespace bench
