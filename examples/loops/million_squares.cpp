#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <procpool/procpool.hpp>
#include <ranges>
#include <vector>

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

long square(int x) { return long{x} * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const auto numbers = std::views::iota(1, 1'000'001);
  procpool::Pool pool;

  auto start = Clock::now();
  std::vector<long> alone;
  std::ranges::transform(numbers, std::back_inserter(alone), square);
  std::printf("sequential: %.3f s\n", seconds_since(start));

  start = Clock::now();
  const std::vector<long> together = pool.map(square, numbers);
  std::printf("parallel: %.3f s\n", seconds_since(start));

  std::printf("%zu squares, %s\n", together.size(), together == alone ? "the same" : "different");
}
