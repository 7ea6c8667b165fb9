// A pool that has nothing to do: how often any of its threads or processes wakes, and how long they
// run.

#include <chrono>
#include <memory>
#include <procpool/pool.hpp>
#include <thread>

#include "bench/contests.hpp"
#include "bench/family.hpp"
#include "bench/tasks.hpp"

namespace bench {
namespace {

/// It has worked before: a pool's thread may be awake for a moment after the last task.
std::shared_ptr<procpool::Pool> rested_pool() {
  auto pool = std::make_shared<procpool::Pool>(2);
  for (int i = 0; i != 1000; ++i) pool->apply(no_op);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return pool;
}

Activity activity_during(std::chrono::milliseconds time) {
  const Activity before = family_activity();
  std::this_thread::sleep_for(time);
  const Activity after = family_activity();
  return {after.switches - before.switches, after.nanoseconds - before.nanoseconds};
}

}  // namespace

std::vector<Contest> idling(const Scale& scale) {
  const auto time = std::chrono::milliseconds(scale.quick ? 300 : 2000);
  const double length = std::chrono::duration<double>(time).count();
  const auto wake_ups = [=] {
    return Sides{[=, pool = rested_pool()] {
      return static_cast<double>(activity_during(time).switches) / length;
    }};
  };
  const auto cpu_time = [=] {
    return Sides{[=, pool = rested_pool()] {
      return static_cast<double>(activity_during(time).nanoseconds) / 1e3 / length;
    }};
  };
  return {{"idle/wake_ups", "1/s", Better::lower, scale.rounds(3), wake_ups, 0.0},
          {"idle/cpu_time", "us/s", Better::lower, scale.rounds(3), cpu_time, 0.0}};
}

}  // namespace bench
