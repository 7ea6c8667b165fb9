// Workers die, singly and together; tasks that were not in their hands never notice.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

int twice(int number) { return 2 * number; }

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

class Healing : public OfEachMethod {};
INSTANTIATE_TEST_SUITE_P(Of, Healing, testing::ValuesIn(all_methods), method_name);

TEST_P(Healing, P_CRASH_50_IdleWorkersKilledBeforeTheSubmit) {
  Pool pool = pool_of(2);
  for (int round = 0; round < 10; ++round) {
    for (const pid_t worker : pool.pids()) kill_worker(worker);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 50; ++i) futures.push_back(pool.submit(twice, i));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), 2 * i);
  }
}

int kill_other(pid_t other) {
  kill_worker(other);
  return 1;
}

void let_workers_kill_each_other(Pool& pool, int count) {
  const std::vector<pid_t> pids = pool.pids();
  ASSERT_EQ(pids.size(), static_cast<std::size_t>(count));
  std::vector<Future<int>> futures;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    futures.push_back(pool.submit(kill_other, pids[(i + 1) % pids.size()]));
  }
  int values = 0, deaths = 0;
  for (const auto& future : futures) {
    try {
      values += future.get();
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.signal(), SIGKILL) << crash.what();
      ++deaths;
    }
  }
  EXPECT_EQ(values + deaths, count);
}

TEST_P(Healing, P_CRASH_51_WorkersThatKillEachOther) {
  for (const int count : {1, 2, 5, 13}) {
    SCOPED_TRACE(count);
    Pool pool = pool_of(count);
    let_workers_kill_each_other(pool, count);
    EXPECT_EQ(pool.map(twice, numbers(100)).back(), 198);
  }
}

int wait_and_die(std::string room) {
  await_gate(room);
  return raise(SIGKILL);
}
std::string echo(std::string text) { return text; }

TEST_P(Healing, P_CRASH_52_TenRingsFullQueuedBehind) {
  Room room;
  Pool pool = pool_of(1);
  const auto dying = pool.submit(wait_and_die, room.path());
  std::vector<Future<int>> small;
  std::vector<Future<std::string>> wide;
  for (int i = 0; i < 1280; ++i) small.push_back(pool.submit(twice, i));
  for (int i = 0; i < 320; ++i) wide.push_back(pool.submit(echo, std::string(1024, char('a' + i % 26))));
  room.open_gate();
  EXPECT_THROW(dying.get(), WorkerCrashed);
  for (int i = 0; i < 1280; ++i) EXPECT_EQ(small[static_cast<std::size_t>(i)].get(), 2 * i);
  for (int i = 0; i < 320; ++i) {
    EXPECT_EQ(wide[static_cast<std::size_t>(i)].get(), std::string(1024, char('a' + i % 26)));
  }
}

// ---- chunks ------------------------------------------------------------------------------------

int die_at_37(std::string room, int number) {
  note(room, number);
  if (number == 37) raise(SIGSEGV);
  return 2 * number;
}

/// What comes of each element, in order: its value, or -1 where it lost its worker.
template <class Stream>
std::vector<int> results_of(Stream stream) {
  std::vector<int> all;
  for (;;) {
    try {
      const auto result = stream.next();
      if (!result) return all;
      all.push_back(*result);
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.signal(), SIGSEGV) << crash.what();
      all.push_back(-1);
    }
  }
}

TEST_P(Healing, P_MAP_10_ACrashInAChunkLosesOneElement) {
  Room room;
  Pool pool = pool_of(2);
  const auto results = results_of(
      pool.imap(partial(die_at_37, room.path()), numbers(100), MapOptions{.chunksize = 50}));
  auto wanted = numbers(100);
  for (int& number : wanted) number = number == 37 ? -1 : 2 * number;
  EXPECT_EQ(results, wanted);
  auto ran = room.notes();
  std::ranges::sort(ran);
  const auto all = numbers(100);
  EXPECT_EQ(ran, std::vector<std::int64_t>(all.begin(), all.end())) << "each exactly once";
}

TEST_P(Healing, P_MAP_10_TheSmallestLostIndexIsThrownByMap) {
  Room room;
  Pool pool = pool_of(2);
  EXPECT_THROW(pool.map(partial(die_at_37, room.path()), numbers(100), MapOptions{.chunksize = 10}),
               WorkerCrashed);
  EXPECT_EQ(room.notes().size(), 100U);
}

/// Elements divisible by 10 die twice before they live; number 55 never does.
int die_twice(std::string room, int number) {
  note(room, number);
  const auto runs = std::ranges::count(notes_of(room), number);
  if (number == 55 || (number % 10 == 0 && runs <= 2)) raise(SIGSEGV);
  return 2 * number;
}

TEST_P(Healing, RetriesArePerElementOfAChunk) {
  Room room;
  Pool pool = pool_of(2);
  const auto results =
      results_of(pool.with(TaskOptions{.retries = 2})
                     .imap(partial(die_twice, room.path()), numbers(60), MapOptions{.chunksize = 20}));
  auto wanted = numbers(60);
  for (int& number : wanted) number = number == 55 ? -1 : 2 * number;
  EXPECT_EQ(results, wanted);
  const auto ran = room.notes();
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(std::ranges::count(ran, i), i % 10 == 0 || i == 55 ? 3 : 1) << i;
  }
}

TEST_P(Healing, TheLastAttemptIsTheOneThatIsReported) {
  Room room;
  Pool pool = pool_of(1);
  const auto future = pool.with(TaskOptions{.retries = 3}).submit(die_twice, room.path(), 55);
  try {
    future.get();
    FAIL() << "it lived";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.attempt(), 4U);
    EXPECT_EQ(crash.signal(), SIGSEGV);
    EXPECT_TRUE(crash.started());
  }
  EXPECT_EQ(room.notes().size(), 4U);
}

}  // namespace
}  // namespace procpool::test
