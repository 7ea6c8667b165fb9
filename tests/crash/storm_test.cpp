// P-CRASH-53: tasks under continual random SIGKILLs and SIGSTOPs. They are tied to progress, not to time:
// before each one a random task further on is awaited, so that the same seed kills at like moments anywhere.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

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
#include "support/processes.hpp"

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
    const bool long_one = GetParam() == StartMethod::forkserver;
    return {slow ? 4000 : long_one ? 100000 : 20000, slow ? 20 : long_one ? 300 : 150, retries};
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
      if (pids.empty()) continue;
      killed_ += kill_worker(pids[random() % pids.size()]) ? 1 : 0;
      stop_a_while(pids[random() % pids.size()], futures_[random() % futures_.size()]);
    }
  }
  /// What the stopped one runs does not end before it goes on: so nothing is awaited for long.
  void stop_a_while(pid_t pid, const Future<int>& meanwhile) {
    if (!signal_worker(pid, SIGSTOP)) return;
    ++stopped_;
    static_cast<void>(meanwhile.wait_for(std::chrono::milliseconds(1)));
    signal_worker(pid, SIGCONT);
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
  std::atomic<int> stopped_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Of, Storms, testing::ValuesIn(all_methods), method_name);

TEST_P(Storms, P_CRASH_53_EveryFutureEndsExactlyOnce) {
  const Tally tally = run(storm(0));
  EXPECT_EQ(tally.values + tally.deaths, storm(0).tasks);
  EXPECT_GT(killed_, storm(0).kills / 2);
  EXPECT_GT(stopped_, storm(0).kills / 4);
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

// ---- at the edges of a pool's life -------------------------------------------------------------------

int plus_one(int number) { return number + 1; }

/// Kills whatever worker there is, as fast as it finds any, until it goes.
class Killer {
 public:
  explicit Killer(unsigned seed) : thread_([seed](const std::stop_token& over) { rage(over, seed); }) {}

 private:
  static void rage(const std::stop_token& over, unsigned seed) {
    std::mt19937 random(seed);
    while (!over.stop_requested()) {
      strike(random);
      for (auto pause = random() % 2000; pause != 0; --pause) std::this_thread::yield();
    }
  }
  static void strike(std::mt19937& random) {
    std::vector<pid_t> pids;
    for (const auto& process : descendants(getpid())) {  // also those that are only starting
      if (process.name == "procpool-worker" && process.state != 'Z') pids.push_back(process.pid);
    }
    if (!pids.empty()) kill_worker(pids[random() % pids.size()]);
  }

  std::jthread thread_;
};

/// What can be the end of a future in such a storm.
enum class End { value, crashed, terminated, broken };
End end_of(const Future<int>& future, int value) {
  try {
    EXPECT_EQ(future.get(), value);
    return End::value;
  } catch (const WorkerCrashed&) {
    return End::crashed;
  } catch (const PoolTerminated&) {
    return End::terminated;
  } catch (const PoolBroken&) {
    return End::broken;
  }
}

class EdgeStorms : public OfEachMethod {
 protected:
  /// Pools that come and go under kills; how each goes is `leave`'s.
  template <class Leave>
  void run(PoolOptions options, Leave leave) {
    const unsigned seed = seed_of_today();
    const int rounds = GetParam() == StartMethod::spawn ? 4 : 12;
    const Killer killer(seed);
    int ended = 0, submitted = 0, killed = 0;
    options.start_method = GetParam();
    options.processes = 2;
    for (int round = 0; round != rounds; ++round) {
      try {
        Pool pool(options);
        std::vector<Future<int>> futures;
        try {
          for (int i = 0; i != 60; ++i) futures.push_back(pool.submit(plus_one, i));
        } catch (const PoolBroken&) {
        }
        submitted += static_cast<int>(futures.size());
        for (const pid_t pid : pool.pids()) killed += kill_worker(pid) ? 1 : 0;
        leave(pool);
        for (std::size_t i = 0; i != futures.size(); ++i) {
          end_of(futures[i], static_cast<int>(i) + 1);
          ++ended;
        }
      } catch (const PoolBroken&) {  // the first worker was killed before it was ready
        ++killed;
      }
    }
    EXPECT_EQ(ended, submitted);
    EXPECT_GT(killed, rounds / 2);
  }
};
INSTANTIATE_TEST_SUITE_P(Of, EdgeStorms, testing::ValuesIn(all_methods), method_name);

TEST_P(EdgeStorms, WhileWorkersStartAndThePoolCloses) {
  run({}, [](Pool& pool) {
    pool.close();
    pool.join();
  });
}

TEST_P(EdgeStorms, WhileThePoolIsTerminated) {
  run({}, [](Pool& pool) {
    pool.terminate();
    pool.join();
  });
}

TEST_P(EdgeStorms, WhileWorkersAreRecycled) {
  run({.max_tasks_per_child = 3}, [](Pool& pool) {
    pool.close();
    pool.join();
  });
}

}  // namespace
}  // namespace procpool::test
