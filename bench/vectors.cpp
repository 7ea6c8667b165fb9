// 64 MiB of numbers into a task that adds them up, and out of one. The floor is one warm memcpy and
// the same adding up within one process. Milliseconds.

#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <procpool/pool.hpp>
#include <procpool/shared.hpp>
#include <span>
#include <vector>

#include "bench/contests.hpp"
#include "bench/python_peer.hpp"
#include "bench/tasks.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

using Numbers = std::vector<std::uint64_t>;

std::uint64_t sum(std::span<const std::uint64_t> all) {
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
}
std::uint64_t sum_of_vector(Numbers all) { return sum(all); }
/// Made once in a worker: what is measured is its way home.
const Numbers& keep(std::size_t count) {
  static Numbers all;
  all.resize(count, 1);
  return all;
}
std::uint64_t read_first(procpool::SharedArray<std::uint64_t> all) { return all[0]; }

struct Buffers {
  explicit Buffers(std::size_t count) : from(count, 1), to(count, 1) {}
  void copy() { std::memcpy(to.data(), from.data(), from.size() * sizeof from[0]); }
  Numbers from;
  Numbers to;
  std::uint64_t result = 0;
};

template <class Work>
double milliseconds(Work work) {
  return seconds(work) * 1e3;
}

template <class Task>
Sides into(std::size_t count, Task* task, double goal) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto buffers = std::make_shared<Buffers>(count);
  Sides sides;
  sides.ours = [=] {
    return milliseconds([&] { buffers->result = pool->apply(task, buffers->from); });
  };
  sides.peers.push_back({"memcpy", "memcpy + sum", goal, [=] {
                           return milliseconds([&] {
                             buffers->copy();
                             buffers->result = sum(buffers->to);
                           });
                         }});
  add_python(sides, python_pool, 1, "in " + std::to_string(count * sizeof(std::uint64_t)), 1. / 15,
             [](double time) { return time * 1e3; });
  return sides;
}

Sides out_of(std::size_t count) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto buffers = std::make_shared<Buffers>(count);
  Sides sides;
  sides.ours = [=] {
    return milliseconds([&] { buffers->result = pool->apply(keep, count).back(); });
  };
  sides.peers.push_back({"memcpy", "memcpy", 2.5, [=] {
                           return milliseconds([&] {
                             buffers->copy();
                             buffers->result = buffers->to.back();
                           });
                         }});
  sides.peers.push_back({"fresh", "a copy into a fresh vector", std::nullopt, [=] {
                           return milliseconds([&] {
                             const Numbers copy(buffers->from.begin(), buffers->from.end());
                             buffers->result = copy.back();
                           });
                         }});
  add_python(sides, python_pool, 1, "out " + std::to_string(count * sizeof(std::uint64_t)),
             std::nullopt, [](double time) { return time * 1e3; });
  return sides;
}

/// What a handle costs, from its second use in a worker on, beside a no-op.
Sides handle(std::size_t count, std::size_t trips) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto array = std::make_shared<procpool::SharedArray<std::uint64_t>>(count);
  Sides sides;
  sides.ours = [=] { return microseconds_each(trips, [&] { pool->apply(read_first, *array); }); };
  sides.peers.push_back({"no_op", "a no-op", 1.2,
                         [=] { return microseconds_each(trips, [&] { pool->apply(no_op); }); }});
  return sides;
}

}  // namespace

std::vector<Contest> vectors(const Scale& scale) {
  constexpr std::size_t count = (std::size_t{64} << 20) / sizeof(std::uint64_t);
  const std::size_t trips = scale.amount<std::size_t>(3000);
  return {{"vector/in/span", "ms", Better::lower, scale.rounds(15),
           [=] { return into(count, &sum, 1.3); }},
          {"vector/in/vector", "ms", Better::lower, scale.rounds(15),
           [=] { return into(count, &sum_of_vector, 2.8); }},
          {"vector/out", "ms", Better::lower, scale.rounds(15), [=] { return out_of(count); }},
          {"shared_array/handle", "us", Better::lower, scale.rounds(15),
           [=] { return handle(count, trips); }}};
}

}  // namespace bench
