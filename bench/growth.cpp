// Growth: what one task costs as something grows, each beside the smallest of its kind. Flat is 1.

#include <algorithm>
#include <memory>
#include <procpool/pool.hpp>
#include <string>
#include <vector>

#include "bench/contests.hpp"
#include "bench/tasks.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

/// Microseconds per no-op of `tasks` that are all submitted, then waited for, the first `depth` at
/// once.
double each_of(procpool::Pool& pool, std::size_t tasks, std::size_t depth) {
  std::vector<procpool::Future<void>> futures;
  futures.reserve(depth);
  const double time = seconds([&] {
    for (std::size_t done = 0; done < tasks; done += futures.size()) {
      futures.clear();
      for (std::size_t i = 0; i != std::min(depth, tasks - done); ++i) {
        futures.push_back(pool.submit(no_op));
      }
      for (auto& future : futures) future.get();
    }
  });
  return time / static_cast<double>(tasks) * 1e6;
}

Sides by_workers(int workers, std::size_t tasks) {
  const auto few = std::make_shared<procpool::Pool>(1);
  const auto many = std::make_shared<procpool::Pool>(workers);
  return {[=] { return each_of(*many, tasks, tasks); },
          {{"one", "1 worker", std::nullopt, [=] { return each_of(*few, tasks, tasks); }}}};
}

Sides by_depth(std::size_t depth) {
  constexpr std::size_t shallow = 1000;
  const auto pool = std::make_shared<procpool::Pool>(2);
  const std::size_t tasks = std::max(depth, 10 * shallow);
  return {[=] { return each_of(*pool, tasks, depth); },
          {{"1000", "depth 1000", std::nullopt, [=] { return each_of(*pool, tasks, shallow); }}}};
}

std::size_t length(const std::string& bytes) { return bytes.size(); }

/// Microseconds per call with a payload, beside the same bytes in calls of 64 KiB.
Sides by_payload(std::size_t bytes) {
  constexpr std::size_t unit = 64 << 10;
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto large = std::make_shared<std::string>(bytes, 'p');
  const auto small = std::make_shared<std::string>(unit, 'p');
  const std::size_t times = std::max<std::size_t>(1, (std::size_t{64} << 20) / bytes / 4);
  const auto mebibytes = [=](const std::string& text, std::size_t calls) {
    return microseconds_each(calls, [&] { pool->apply(length, text); }) /
           (static_cast<double>(text.size()) / (1 << 20));
  };
  return {[=] { return mebibytes(*large, times); },
          {{"64KiB", "64 KiB a call", std::nullopt, [=] { return mebibytes(*small, 256); }}}};
}

}  // namespace

std::vector<Contest> growth(const Scale& scale) {
  std::vector<Contest> contests;
  const std::size_t tasks = scale.amount<std::size_t>(200'000);
  for (const int workers : {2, 4, 16, 64, 256}) {
    if (scale.quick && workers > 16) continue;
    contests.push_back({"growth/workers/" + std::to_string(workers), "us/task", Better::lower,
                        scale.rounds(5), [=] { return by_workers(workers, tasks); }});
  }
  for (const std::size_t depth : {10'000UL, 100'000UL, 1'000'000UL, 10'000'000UL}) {
    // Ten million queued tasks take 2 GB: not in a quick run.
    if (scale.quick && depth > 100'000) continue;
    contests.push_back({"growth/depth/" + std::to_string(depth), "us/task", Better::lower,
                        depth > 1'000'000 ? 1 : scale.rounds(3), [=] { return by_depth(depth); }});
  }
  for (const std::size_t kibibytes : {1UL, 8UL, 1024UL, 16'384UL, 65'536UL}) {
    contests.push_back({"growth/payload/" + std::to_string(kibibytes) + "KiB", "us/MiB",
                        Better::lower, scale.rounds(9),
                        [=] { return by_payload(kibibytes << 10); }});
  }
  return contests;
}

}  // namespace bench
