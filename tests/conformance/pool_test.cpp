// The pool: its size, its calls, its end.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <thread>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Clock = std::chrono::steady_clock;

// P_POOL_09
static_assert(!std::is_copy_constructible_v<Pool> && !std::is_copy_assignable_v<Pool>);
static_assert(std::is_nothrow_move_constructible_v<Pool>);
static_assert(!task<int (*)(const Pool&), Pool> && !shippable<Pool>);
static_assert(!std::is_constructible_v<Pool, bool> && !std::is_constructible_v<Pool, char> &&
              !std::is_constructible_v<Pool, wchar_t> && !std::is_constructible_v<Pool, char32_t>);
static_assert(std::is_constructible_v<Pool, int> && std::is_constructible_v<Pool, std::size_t> &&
              std::is_constructible_v<Pool, short>);
static_assert(!std::is_convertible_v<int, Pool>);

TEST_P(Conformance, P_POOL_01_a_count_below_one_or_absurd_is_misuse) {
  const auto refusal = [&](int count) { return error_of<Misuse>([&] { make_pool(count); }); };
  for (const int count :
       {0, -1, std::numeric_limits<int>::min(), 4097, std::numeric_limits<int>::max()}) {
    EXPECT_NE(refusal(count), "") << count;
  }
  EXPECT_TRUE(contains(refusal(0), "Number of processes must be at least 1")) << refusal(0);
  EXPECT_TRUE(contains(refusal(-1), "Number of processes must be at least 1")) << refusal(-1);
  EXPECT_THROW(Pool(std::numeric_limits<std::size_t>::max()), Misuse);
  EXPECT_THROW(Pool(std::numeric_limits<long long>::min()), Misuse);
  EXPECT_THROW(Pool(static_cast<unsigned char>(0)), Misuse);
}

TEST_P(Conformance, P_POOL_01_the_default_count_is_the_usable_cpus) {
  const Pool pool({.start_method = GetParam()});
  EXPECT_EQ(pool.processes(), usable_cpus());
  EXPECT_EQ(pool.pids().size(), static_cast<std::size_t>(usable_cpus()));
}

TEST(ConformanceOnce, P_POOL_02_usable_cpus_is_the_least_of_its_limits) {
  cpu_set_t all, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  setenv("PROCPOOL_PROCESSES", "1", 1);
  EXPECT_EQ(usable_cpus(), 1);
  setenv("PROCPOOL_PROCESSES", "100000", 1);
  EXPECT_LE(usable_cpus(), CPU_COUNT(&all));
  unsetenv("PROCPOOL_PROCESSES");
  EXPECT_GE(usable_cpus(), 1);
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cpus(), 1);
  sched_setaffinity(0, sizeof all, &all);
}

TEST_P(Conformance, P_POOL_04_apply_returns_the_value_or_throws) {
  const Pool pool = make_pool(2);
  EXPECT_EQ(pool.apply(square, 7), 49);
  EXPECT_EQ(error_of<std::runtime_error>([&] { pool.apply(fail_with, "no"); }), "no");
  EXPECT_EQ(pool.apply(square, 8), 64);
}

TEST_P(Conformance, P_POOL_04_apply_async_returns_at_once) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto first = pool.apply_async(wait_at, gate.path(), 1);
  const auto second = pool.submit(wait_at, gate.path(), 2);
  EXPECT_FALSE(first.ready());
  EXPECT_FALSE(second.ready());
  gate.open();
  EXPECT_EQ(first.get() + second.get(), 3);
}

TEST_P(Conformance, P_POOL_05_after_close_queued_work_finishes_and_new_work_is_refused) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  std::vector<Future<int>> queued;
  for (int i = 0; i != 100; ++i) queued.push_back(pool.submit(wait_at, gate.path(), i));
  pool.close();
  pool.close();
  EXPECT_THROW(pool.submit(square, 1), PoolClosed);
  EXPECT_THROW(pool.apply(square, 1), PoolClosed);
  EXPECT_THROW(pool.map(square, {1, 2}), PoolClosed);
  EXPECT_THROW(pool.map_async(square, {1, 2}), PoolClosed);
  EXPECT_THROW(pool.with(TaskOptions{.retries = 1}).submit(square, 1), PoolClosed);
  gate.open();
  pool.join();
  for (int i = 0; i != 100; ++i) EXPECT_EQ(queued[static_cast<std::size_t>(i)].get(), i);
  EXPECT_NO_THROW(pool.close());
  EXPECT_NO_THROW(pool.join());
}

// In Python the 10,000 would never complete. What runs would run until the gate opens.
TEST_P(Conformance, P_POOL_06_terminate_completes_every_future) {
  Pool pool = make_pool(2);
  Gate gate(file("gate"));
  std::vector<Future<int>> queued;
  for (int i = 0; i != 10'000; ++i) queued.push_back(pool.submit(wait_at, gate.path(), i));
  const auto whole = pool.map_async(partial(wait_at, gate.path()), first_numbers(100));
  const auto start = Clock::now();
  pool.terminate();
  pool.join();
  const auto took = Clock::now() - start;
  for (const auto& future : queued) {
    ASSERT_TRUE(future.ready());
    ASSERT_THROW(future.get(), PoolTerminated);
  }
  EXPECT_THROW(whole.get(), PoolTerminated);
  EXPECT_THROW(pool.submit(square, 1), PoolTerminated);
  // The promise is one second; a busy machine is given more.
  EXPECT_LT(took, 5s);
  EXPECT_NO_THROW(pool.terminate());
  EXPECT_NO_THROW(pool.join());
}

TEST_P(Conformance, P_POOL_06_terminate_ends_a_get_in_another_thread) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto future = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  bool terminated = false;
  std::thread waiter([&] {
    try {
      future.get();
    } catch (const PoolTerminated&) {
      terminated = true;
    }
  });
  bell.wait();
  pool.terminate();
  waiter.join();
  EXPECT_TRUE(terminated);
}

TEST_P(Conformance, P_POOL_07_join_wants_a_closed_pool_and_join_for_a_limit) {
  Pool pool = make_pool(1);
  EXPECT_TRUE(contains(error_of<Misuse>([&] { pool.join(); }), "Pool is still running"));
  EXPECT_THROW((void)pool.join_for(1ms), Misuse);
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 5);
  pool.close();
  EXPECT_FALSE(pool.join_for(1ms));
  EXPECT_FALSE(pool.join_for(std::chrono::seconds(-1)));
  gate.open();
  EXPECT_TRUE(pool.join_for(std::chrono::hours::max()));
  EXPECT_TRUE(future.ready());
}

TEST_P(Conformance, P_POOL_08_the_destructor_closes_and_joins) {
  const std::string marks = file("marks");
  {
    const Pool pool = make_pool(2);
    for (int i = 0; i != 200; ++i) pool.submit(mark, marks);
  }
  EXPECT_EQ(count_marks(marks), 200U);
}

TEST_P(Conformance, P_POOL_08_while_an_exception_unwinds_it_terminates) {
  Gate gate(file("gate"));
  Future<int> future;
  try {
    const Pool pool = make_pool(1);
    future = pool.submit(wait_at, gate.path(), 1);
    throw std::logic_error("unwind");
  } catch (const std::logic_error&) {
  }
  EXPECT_THROW(future.get(), PoolTerminated);
}

struct UsesAPoolWhileUnwinding {
  StartMethod method;
  std::string* marks;
  ~UsesAPoolWhileUnwinding() {
    const Pool pool({.processes = 1, .start_method = method});
    pool.submit(mark, *marks);
  }
};

TEST_P(Conformance, P_POOL_08_a_pool_of_a_destructor_that_runs_in_unwinding_completes) {
  std::string marks = file("marks");
  try {
    const UsesAPoolWhileUnwinding user{GetParam(), &marks};
    throw std::logic_error("unwind");
  } catch (const std::logic_error&) {
  }
  EXPECT_EQ(count_marks(marks), 1U);
}

TEST_P(Conformance, P_POOL_10_two_hundred_workers) {
  const Pool pool = make_pool(200);
  std::vector<int> expected = first_numbers(1000);
  for (int& x : expected) x *= x;
  EXPECT_EQ(pool.map(square, first_numbers(1000), {.chunksize = 1}), expected);
  const auto pids = pool.pids();
  EXPECT_EQ(std::set<pid_t>(pids.begin(), pids.end()).size(), 200U);
}

struct Nested {
  std::vector<int> values;
  std::vector<pid_t> pids;
};
Nested square_in_own_pool(StartMethod method, const std::vector<int>& xs) {
  const Pool pool({.processes = 2, .start_method = method});
  return {pool.map(square, xs), pool.pids()};
}
void hold_own_pool(StartMethod method, const std::string& pids, const std::string& bell,
                   const std::string& gate) {
  const Pool pool({.processes = 2, .start_method = method});
  const auto future = pool.submit(wait_at, gate, 0);
  std::ofstream out(pids);
  for (const pid_t pid : pool.pids()) out << pid << '\n';
  out.close();
  ring_bell(bell);
  future.get();
}

TEST_P(Conformance, P_POOL_12_a_worker_makes_its_own_pool) {
  const Pool pool = make_pool(1);
  const Nested nested = pool.apply(square_in_own_pool, GetParam(), std::vector{1, 2, 3});
  EXPECT_EQ(nested.values, (std::vector{1, 4, 9}));
  for (const pid_t pid : nested.pids) EXPECT_TRUE(ended_within(pid, 1s)) << pid;
}

TEST_P(Conformance, P_POOL_12_the_end_of_the_outer_pool_is_the_end_of_the_inner) {
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  Pool pool = make_pool(1);
  const auto future =
      pool.submit(hold_own_pool, GetParam(), file("pids"), bell.path(), gate.path());
  bell.wait();
  pool.terminate();
  pool.join();
  std::ifstream pids(file("pids"));
  int count = 0;
  for (pid_t pid = 0; pids >> pid; ++count) EXPECT_TRUE(ended_within(pid, 2s)) << pid;
  EXPECT_EQ(count, 2);
}

TEST_P(Conformance, P_POOL_13_submits_race_with_close) {
  for (int round = 0; round != 5; ++round) {
    Pool pool = make_pool(2);
    std::vector<std::vector<Future<int>>> accepted(4);
    std::vector<std::jthread> threads;
    for (auto& mine : accepted) {
      threads.emplace_back([&pool, &mine] {
        try {
          for (int i = 0; i != 1'000'000; ++i) mine.push_back(pool.submit(square, i % 1000));
        } catch (const PoolClosed&) {
        }
      });
    }
    pool.apply(square, 2);
    pool.close();
    threads.clear();
    pool.join();
    for (const auto& mine : accepted) {
      ASSERT_LT(mine.size(), 1'000'000U);
      for (std::size_t i = 0; i != mine.size(); ++i) {
        ASSERT_TRUE(mine[i].ready());
        ASSERT_EQ(mine[i].get(), square(static_cast<int>(i % 1000)));
      }
    }
  }
}

TEST_P(Conformance, P_POOL_a_moved_from_pool_is_misuse) {
  Pool pool = make_pool(1);
  Pool other = std::move(pool);
  EXPECT_EQ(other.apply(square, 3), 9);
  EXPECT_THROW(pool.submit(square, 1), Misuse);
  EXPECT_THROW(pool.map(square, {1}), Misuse);
  EXPECT_THROW(pool.terminate(), Misuse);
  EXPECT_THROW(pool.join(), Misuse);
  EXPECT_THROW((void)pool.join_for(1ms), Misuse);
  EXPECT_THROW((void)pool.processes(), Misuse);
  EXPECT_THROW((void)pool.pids(), Misuse);
  pool = std::move(other);
  EXPECT_EQ(pool.apply(square, 4), 16);
}

TEST_P(Conformance, P_POOL_pids_are_one_per_place_and_run_all_tasks) {
  const Pool pool = make_pool(3);
  EXPECT_EQ(pool.processes(), 3);
  const auto pids = pool.pids();
  const std::set<pid_t> places(pids.begin(), pids.end());
  EXPECT_EQ(places.size(), 3U);
  EXPECT_FALSE(places.contains(getpid()));
  for (int i = 0; i != 45; ++i) EXPECT_TRUE(places.contains(pool.apply(own_pid)));
}

bool answers_in_worker() { return in_worker(); }

TEST_P(Conformance, P_POOL_in_worker_tells_a_worker) {
  EXPECT_FALSE(in_worker());
  EXPECT_TRUE(make_pool(1).apply(answers_in_worker));
}

TEST_P(Conformance, P_POOL_many_threads_call_one_pool) {
  const Pool pool = make_pool(2);
  std::vector<std::jthread> threads;
  std::vector<int> sums(8);
  for (int& sum : sums) {
    threads.emplace_back([&pool, &sum] {
      for (int i = 0; i != 200; ++i) sum += pool.apply(square, i % 7);
      for (const int y : pool.map(square, {1, 2, 3})) sum += y;
    });
  }
  threads.clear();
  int expected = 14;
  for (int i = 0; i != 200; ++i) expected += square(i % 7);
  for (const int sum : sums) EXPECT_EQ(sum, expected);
}

}  // namespace
}  // namespace procpool::test
