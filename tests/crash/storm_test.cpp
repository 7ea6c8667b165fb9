// P-CRASH-53: tasks under continual random SIGKILLs. Kills are tied to progress, not to time: before
// each one a random task further on is awaited, so that the same seed kills at like moments anywhere.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

unsigned seed_of_today() {
  const char* given = std::getenv("PROCPOOL_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  testing::Test::RecordProperty("seed", std::to_string(seed));
  std::printf("seed %u (PROCPOOL_SEED repeats it)\n", seed);
  return seed;
}

/// Notes that it runs, and works a little.
int noted(std::string room, int number) {
  note(room, number);
  volatile unsigned sum = 0;
  for (int i = 0; i < 5000; ++i) sum = sum + static_cast<unsigned>(i);
  return number + static_cast<int>(sum != 0 ? 0 : 1);
}

struct Storm {
  int tasks;
  int kills;
  unsigned retries;
};

/// Counts how often each future ends.
struct Ends {
  explicit Ends(int tasks) : counts(static_cast<std::size_t>(tasks)) {}
  std::vector<std::atomic<int>> counts;
};

struct Tally {
  int values = 0;
  int deaths = 0;
};

class Storms : public OfEachMethod {
 protected:
  /// Kills are few under spawn, where a replacement is a whole execution of this program.
  static Storm storm(unsigned retries) {
    const bool slow = GetParam() == StartMethod::spawn;
    return {slow ? 4000 : 20000, slow ? 20 : 150, retries};
  }

  void submit(Pool& pool, const Storm& storm) {
    ends_ = std::make_shared<Ends>(storm.tasks);
    for (int i = 0; i < storm.tasks; ++i) {
      futures_.push_back(pool.with(TaskOptions{.retries = storm.retries})
                             .submit(noted, room_.path(), i));
      futures_.back().on_done([ends = ends_, i](Future<int>&) {
        ++ends->counts[static_cast<std::size_t>(i)];
      });
    }
  }

  void rage(const Pool& pool, const Storm& storm, std::mt19937 random) {
    const int stride = storm.tasks / storm.kills;
    for (int kill = 0; kill < storm.kills; ++kill) {
      const auto reached = static_cast<std::size_t>(kill * stride) + random() % static_cast<unsigned>(stride);
      futures_[reached].wait();
      const auto pids = pool.pids();
      if (!pids.empty()) killed_ += kill_worker(pids[random() % pids.size()]) ? 1 : 0;
    }
  }

  /// Every future has its own value, or lost its worker to SIGKILL.
  Tally count() {
    Tally tally;
    for (std::size_t i = 0; i < futures_.size(); ++i) {
      try {
        EXPECT_EQ(futures_[i].get(), static_cast<int>(i));
        ++tally.values;
      } catch (const WorkerCrashed& crash) {
        if (crash.exit_code() || crash.signal().value_or(SIGKILL) != SIGKILL) {
          ADD_FAILURE() << crash.what();
        }
        ++tally.deaths;
      }
    }
    return tally;
  }

  std::vector<int> runs_of_each() const {
    std::vector<int> runs(futures_.size());
    for (const auto number : room_.notes()) ++runs.at(static_cast<std::size_t>(number));
    return runs;
  }

  Tally run(const Storm& storm) {
    const unsigned seed = seed_of_today();
    Pool pool = pool_of(3);
    submit(pool, storm);
    std::thread killer([&] { rage(pool, storm, std::mt19937(seed)); });
    const Tally tally = count();
    killer.join();
    pool.close();
    pool.join();
    return tally;
  }

  Room room_;
  std::vector<Future<int>> futures_;
  std::shared_ptr<Ends> ends_;
  std::atomic<int> killed_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Of, Storms, testing::ValuesIn(all_methods), method_name);

TEST_P(Storms, P_CRASH_53_EveryFutureEndsExactlyOnce) {
  const Tally tally = run(storm(0));
  EXPECT_EQ(tally.values + tally.deaths, storm(0).tasks);
  EXPECT_GT(killed_, storm(0).kills / 2);
  EXPECT_LE(tally.deaths, killed_) << "one death, one task";
  EXPECT_TRUE(std::ranges::all_of(ends_->counts, [](const auto& ends) { return ends == 1; }));
  const auto runs = runs_of_each();
  EXPECT_TRUE(std::ranges::all_of(runs, [](int count) { return count <= 1; })) << "none ran twice";
}

TEST_P(Storms, P_CRASH_53_WithRetriesEveryTaskEndsWithItsValue) {
  const Tally tally = run(storm(50));
  EXPECT_EQ(tally.deaths, 0);
  EXPECT_EQ(tally.values, storm(50).tasks);
  EXPECT_TRUE(std::ranges::all_of(ends_->counts, [](const auto& ends) { return ends == 1; }));
  const auto runs = runs_of_each();
  EXPECT_TRUE(std::ranges::all_of(runs, [](int count) { return count >= 1; }));
  const auto all = std::accumulate(runs.begin(), runs.end(), 0);
  EXPECT_LE(all, storm(50).tasks + killed_) << "one death, one run more";
}

}  // namespace
}  // namespace procpool::test
