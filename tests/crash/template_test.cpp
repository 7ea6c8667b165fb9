// P-CRASH-56: the template process dies or stops; the host mistreats its children.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

int twice(int number) { return 2 * number; }
int own_pid() { return getpid(); }
int wait_at_gate(std::string room, int number) {
  report(room, getpid());
  await_gate(room);
  return number;
}
int die() { return raise(SIGKILL); }

class P_CRASH_56_Template : public Census {
 protected:
  Room room_;
};

TEST_F(P_CRASH_56_Template, KilledUnderForkserver_WorkersFinishAndAreReplacedUnderANewOne) {
  Pool pool(options_of(StartMethod::forkserver, 2));
  const pid_t first = template_pid();
  const auto old = pool.pids();
  std::vector<Future<int>> running, queued;
  for (int i = 0; i < 2; ++i) running.push_back(pool.submit(wait_at_gate, room_.path(), i));
  for (int i = 0; i < 2; ++i) room_.next_report();
  for (int i = 0; i < 50; ++i) queued.push_back(pool.submit(twice, i));
  ASSERT_TRUE(kill_template());
  ASSERT_TRUE(ended_within(first, std::chrono::seconds(10)));
  room_.open_gate(2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(running[static_cast<std::size_t>(i)].get(), i);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(queued[static_cast<std::size_t>(i)].get(), 2 * i);
  for (const pid_t worker : old) EXPECT_TRUE(ended_within(worker, std::chrono::seconds(10)));
  const auto fresh = pool.pids();
  for (const pid_t worker : old) EXPECT_EQ(std::ranges::count(fresh, worker), 0);
  EXPECT_EQ(pool.apply(twice, 4), 8);
  EXPECT_NE(template_pid(), 0);
  EXPECT_NE(template_pid(), first);
}

TEST_F(P_CRASH_56_Template, KilledTogetherWithItsWorkers) {
  Pool pool(options_of(StartMethod::forkserver, 2));
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE(round);
    const auto workers = pool.pids();
    kill_template();
    for (const pid_t worker : workers) kill_worker(worker);
    EXPECT_EQ(pool.apply(twice, round), 2 * round);
  }
}

TEST_F(P_CRASH_56_Template, KilledWhileThirteenWorkersStart) {
  Pool pool(options_of(StartMethod::forkserver, 13));
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    for (const pid_t worker : pool.pids()) kill_worker(worker);
    const auto future = pool.submit(twice, round);
    kill_template();
    EXPECT_EQ(future.get(), 2 * round);
  }
}

TEST_F(P_CRASH_56_Template, ADeathWithoutATemplateIsOfUnknownKind) {
  Pool pool(options_of(StartMethod::fork, 1));
  const auto running = pool.submit(wait_at_gate, room_.path(), 1);
  const auto worker = static_cast<pid_t>(room_.next_report());
  const pid_t first = template_pid();
  kill_template();
  ASSERT_TRUE(ended_within(first, std::chrono::seconds(10)));
  kill_worker(worker);
  try {
    running.get();
    FAIL() << "it lived";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.pid(), worker);
    EXPECT_FALSE(crash.signal());
    EXPECT_FALSE(crash.exit_code());
    EXPECT_NE(std::string(crash.what()).find("unknown"), std::string::npos) << crash.what();
  }
}

TEST_F(P_CRASH_56_Template, KilledUnderFork_ThePoolBreaksWhenItNeedsAWorker) {
  Pool pool(options_of(StartMethod::fork, 2));
  const pid_t first = template_pid();
  const auto running = pool.submit(wait_at_gate, room_.path(), 5);
  room_.next_report();
  ASSERT_TRUE(kill_template());
  ASSERT_TRUE(ended_within(first, std::chrono::seconds(10)));
  room_.open_gate();
  EXPECT_EQ(running.get(), 5);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.apply(twice, i), 2 * i) << "its workers go on";
  EXPECT_ANY_THROW(pool.apply(die));
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) pool.apply(own_pid);
      },
      PoolBroken);
  EXPECT_THROW(pool.submit(twice, 1), PoolBroken);
}

TEST_F(P_CRASH_56_Template, KilledUnderFork_QueuedTasksAreTold) {
  Pool pool(options_of(StartMethod::fork, 1));
  const auto running = pool.submit(wait_at_gate, room_.path(), 5);
  const auto worker = static_cast<pid_t>(room_.next_report());
  std::vector<Future<int>> queued;
  for (int i = 0; i < 300; ++i) queued.push_back(pool.submit(twice, i));
  kill_template();
  kill_worker(worker);
  EXPECT_TRUE(running.exception());
  for (const auto& future : queued) EXPECT_THROW(future.get(), PoolBroken);
}

class P_CRASH_56_Stopped : public OfEachMethod {
 protected:
  Room room_;
};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_56_Stopped,
                         testing::Values(StartMethod::forkserver, StartMethod::fork), method_name);

TEST_P(P_CRASH_56_Stopped, TheDeathIsToldWithoutIt_AndItHealsWhenItGoesOn) {
  Pool pool = pool_of(2);
  const pid_t first = template_pid();
  ASSERT_GT(first, 1);
  const auto running = pool.submit(wait_at_gate, room_.path(), 5);
  const auto worker = static_cast<pid_t>(room_.next_report());
  kill(first, SIGSTOP);
  kill_worker(worker);
  try {
    running.get();
    FAIL() << "it lived";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.pid(), worker);
    EXPECT_FALSE(crash.signal()) << "who could have told?";
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(pool.apply(twice, i), 2 * i) << "the other goes on";
  kill(first, SIGCONT);
  const auto pids = pool.pids();
  EXPECT_EQ(pids.size(), 2U);
  EXPECT_EQ(std::ranges::count(pids, worker), 0);
  EXPECT_EQ(pool.apply(twice, 4), 8);
}

TEST_P(P_CRASH_56_Stopped, APoolWithAStoppedTemplateEnds) {
  Pool pool = pool_of(2);
  kill(template_pid(), SIGSTOP);
  for (const pid_t worker : pool.pids()) kill_worker(worker);
  pool.terminate();
  pool.join();
  EXPECT_THROW(pool.submit(twice, 1), PoolTerminated);
}

// ---- the host --------------------------------------------------------------------------------

class P_CRASH_56_Host : public OfEachMethod {
 protected:
  Room room_;

  /// A crash is noticed; how it came is told truly or not at all.
  static void expect_death(Pool& pool) {
    try {
      pool.apply(die);
      FAIL() << "it lived";
    } catch (const WorkerCrashed& crash) {
      EXPECT_EQ(crash.signal().value_or(SIGKILL), SIGKILL);
      EXPECT_FALSE(crash.exit_code());
    }
  }
  static void crash_and_go_on(Pool& pool) {
    for (int round = 0; round < 10; ++round) {
      expect_death(pool);
      EXPECT_EQ(pool.apply(twice, round), 2 * round);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_56_Host, testing::ValuesIn(all_methods), method_name);

TEST_P(P_CRASH_56_Host, ThatIgnoresSigchld) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  {
    Pool pool = pool_of(2);
    crash_and_go_on(pool);
  }
  signal(SIGCHLD, before);
}

TEST_P(P_CRASH_56_Host, WithAThreadThatReapsEverything) {
  std::thread thief;
  {
    Pool pool = pool_of(2);
    thief = std::thread([] {
      while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
    });
    crash_and_go_on(pool);
  }
  thief.join();
}

}  // namespace
}  // namespace procpool::test
