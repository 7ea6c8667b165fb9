// Elements that differ: one in a hundred costs a thousand times as much, at random places. The ideal is
// two threads that know the costs beforehand and share them out evenly.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <procpool/pool.hpp>
#include <random>
#include <thread>
#include <vector>

#include "bench/contests.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

using Costs = std::vector<std::int64_t>;

constexpr int workers = 2;

/// So many rounds of arithmetic that nothing can shorten.
std::int64_t work(std::int64_t rounds) {
  std::uint64_t state = 1;
  for (std::int64_t i = 0; i != rounds * 300; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
  }
  return static_cast<std::int64_t>(state >> 1);
}

Costs make_costs(std::size_t elements) {
  Costs costs(elements, 1);
  std::fill_n(costs.begin(), elements / 100, 1000);
  std::shuffle(costs.begin(), costs.end(), std::mt19937(20'000));
  return costs;
}

double with_pool(procpool::Pool& pool, const Costs& costs, procpool::ChunkSize chunks) {
  return seconds([&] { pool.map(work, costs, {.chunksize = chunks}); }) * 1e3;
}

/// Sorted by cost and dealt out one by one, so that every thread gets as much.
double ideally(Costs costs) {
  std::sort(costs.begin(), costs.end());
  const auto run = [&costs](std::size_t first) {
    std::int64_t sum = 0;
    for (std::size_t i = first; i < costs.size(); i += workers) sum += work(costs[i]);
    volatile std::int64_t kept = sum;
    static_cast<void>(kept);
  };
  return seconds([&] {
           std::vector<std::jthread> threads;
           for (std::size_t i = 0; i != workers; ++i) threads.emplace_back(run, i);
         }) *
         1e3;
}

/// As multiprocessing.Pool.map deals: equal chunks, taken in turn and never split.
double as_python_deals(const Costs& costs) {
  const std::size_t chunk = (costs.size() + 4 * workers - 1) / (4 * workers);
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    std::int64_t sum = 0;
    for (std::size_t first; (first = next.fetch_add(chunk)) < costs.size();) {
      const std::size_t last = std::min(first + chunk, costs.size());
      for (std::size_t i = first; i != last; ++i) sum += work(costs[i]);
    }
    volatile std::int64_t kept = sum;
    static_cast<void>(kept);
  };
  return seconds([&] {
           std::vector<std::jthread> threads;
           for (std::size_t i = 0; i != workers; ++i) threads.emplace_back(run);
         }) *
         1e3;
}

Sides set_up(std::size_t elements) {
  const auto costs = std::make_shared<const Costs>(make_costs(elements));
  const auto pool = std::make_shared<procpool::Pool>(workers);
  return {[=] { return with_pool(*pool, *costs, procpool::automatic_chunks); },
          {{"ideal", "two threads, dealt out by cost", 1.15, [=] { return ideally(*costs); }},
           {"python_formula", "two threads, Python's chunks in turn", 1.0,
            [=] { return as_python_deals(*costs); }},
           {"python_chunks", "ours with python_chunks", std::nullopt,
            [=] { return with_pool(*pool, *costs, procpool::python_chunks); }}}};
}

}  // namespace

std::vector<Contest> skew(const Scale& scale) {
  const std::size_t elements = scale.amount<std::size_t>(20'000);
  return {{"map/skewed", "ms", Better::lower, scale.rounds(11), [=] { return set_up(elements); }}};
}

}  // namespace bench
