// Pools that end while workers work, wait, or die.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

using Clock = std::chrono::steady_clock;

int twice(int number) { return 2 * number; }
int die_if_odd(int number) { return number % 2 != 0 ? raise(SIGKILL) : number; }
int sleep_for_ever(std::string room) {
  report(room, getpid());
  for (;;) pause();
}

class PoolsEnd : public OfEachMethod {};
INSTANTIATE_TEST_SUITE_P(Of, PoolsEnd, testing::ValuesIn(all_methods), method_name);

TEST_P(PoolsEnd, TerminateWithRunningAndTenThousandQueued) {
  Room room;
  Pool pool = pool_of(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i < 10000; ++i) futures.push_back(pool.submit(sleep_for_ever, room.path()));
  room.next_report();
  room.next_report();
  const auto start = Clock::now();
  pool.terminate();
  for (const auto& future : futures) EXPECT_THROW(future.get(), PoolTerminated);
  pool.join();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));
  EXPECT_THROW(pool.submit(twice, 1), PoolTerminated);
}

TEST_P(PoolsEnd, CloseAndJoinWithCrashingWorkers) {
  Pool pool = pool_of(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i < 40; ++i) futures.push_back(pool.submit(die_if_odd, i));
  pool.close();
  pool.join();
  for (int i = 0; i < 40; ++i) {
    const auto& future = futures[static_cast<std::size_t>(i)];
    ASSERT_TRUE(future.ready()) << i;
    if (i % 2 == 0) {
      EXPECT_EQ(future.get(), i);
    } else {
      EXPECT_THROW(future.get(), WorkerCrashed);
    }
  }
}

TEST_P(PoolsEnd, CloseAndJoinAfterAllWorkersWereKilled) {
  Pool pool = pool_of(2);
  for (const pid_t worker : pool.pids()) kill_worker(worker);
  pool.close();
  pool.join();
  EXPECT_THROW(pool.submit(twice, 1), PoolClosed);
}

TEST_P(PoolsEnd, DestroyedWhileWorkersCrash) {
  std::vector<Future<int>> futures;
  {
    Pool pool = pool_of(2);
    for (int i = 0; i < 40; ++i) futures.push_back(pool.submit(die_if_odd, i));
  }
  int values = 0, deaths = 0;
  for (const auto& future : futures) {
    ASSERT_TRUE(future.ready());
    (future.exception() ? deaths : values) += 1;
  }
  EXPECT_EQ(values, 20);
  EXPECT_EQ(deaths, 20);
}

TEST_P(PoolsEnd, TerminatedWhileWorkersCrash) {
  std::vector<Future<int>> futures;
  Pool pool = pool_of(2);
  for (int i = 0; i < 400; ++i) futures.push_back(pool.submit(die_if_odd, i));
  EXPECT_THROW(futures[1].get(), WorkerCrashed);
  pool.terminate();
  pool.join();
  for (std::size_t i = 0; i < futures.size(); ++i) {
    ASSERT_TRUE(futures[i].ready()) << i;
    try {
      EXPECT_EQ(futures[i].get(), static_cast<int>(i));
    } catch (const WorkerCrashed&) {
      EXPECT_EQ(i % 2, 1U);
    } catch (const PoolTerminated&) {
      continue;
    }
  }
}

TEST_P(PoolsEnd, TerminatedWhileReplacementsStart) {
  for (int round = 0; round < 10; ++round) {
    Pool pool = pool_of(2);
    const auto pids = pool.pids();
    for (const pid_t worker : pids) kill_worker(worker);
    const auto future = pool.submit(twice, round);
    if (round % 2 == 0) future.wait();
    pool.terminate();
    pool.join();
    EXPECT_TRUE(future.ready());
  }
}

}  // namespace
}  // namespace procpool::test
