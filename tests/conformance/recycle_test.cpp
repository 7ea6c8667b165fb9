// Workers that leave: after so many tasks, too large, without work; and pools that are resized.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

TEST_P(Conformance, P_LIFE_01_no_worker_runs_more_than_its_share) {
  for (const unsigned share : {1U, 3U}) {
    const Pool pool = make_pool({.processes = 2, .max_tasks_per_child = share});
    std::vector<Future<int>> futures;  // deeper than every worker's share
    for (int i = 0; i != 40; ++i) futures.push_back(pool.submit(own_pid));
    std::map<int, unsigned> runs;
    for (const auto& future : futures) ++runs[future.get()];
    for (const auto& [pid, count] : runs) EXPECT_LE(count, share);
    EXPECT_GE(runs.size(), 40 / share);
    EXPECT_GE(pool.stats().workers_recycled, 40 / share - 2);
    EXPECT_EQ(pool.stats().workers_crashed, 0U);
  }
}

TEST_P(Conformance, P_LIFE_01_a_chunk_counts_as_one) {
  const Pool pool = make_pool({.processes = 1, .max_tasks_per_child = 2});
  const auto pids = pool.map([](int) { return own_pid(); }, first_numbers(100), {.chunksize = 10});
  const std::set<int> different(pids.begin(), pids.end());
  EXPECT_EQ(different.size(), 5U);
  EXPECT_EQ(std::set<int>(pids.begin(), pids.begin() + 20).size(), 1U);
}

TEST_P(Conformance, P_LIFE_01_close_right_after_the_submit_finishes_all) {
  for (const unsigned share : {1U, 2U}) {
    const std::string marks = file("marks" + std::to_string(share));
    {
      Pool pool = make_pool({.processes = 2, .max_tasks_per_child = share});
      for (int i = 0; i != 30; ++i) pool.submit(mark, marks);
      pool.close();
      pool.join();
    }
    EXPECT_EQ(count_marks(marks), 30U);
  }
}

TEST_P(Conformance, P_LIFE_01_retries_and_crashes_count_and_nothing_is_lost) {
  const Pool pool = make_pool({.processes = 2, .max_tasks_per_child = 2});
  const auto die_once = [](const std::string& marks, int x) {
    if (x % 3 == 0 && this_task::attempt() == 1) crash();
    add_mark(marks);
    return x;
  };
  const auto got = pool.with(TaskOptions{.retries = 1})
                       .with(MapOptions{.chunksize = 4})
                       .map(partial(die_once, file("marks")), first_numbers(30));
  EXPECT_EQ(got, first_numbers(30));
  EXPECT_EQ(count_marks(file("marks")), 30U);
}

void initialise(const std::string& bell, const std::string& marks, const std::string& gate) {
  add_mark(marks);
  if (count_marks(marks) < 2) return;
  ring_bell(bell);
  pass_gate(gate);
}

// The successor is held in its initializer; meanwhile the old one does the rest of its share.
TEST_P(Conformance, P_LIFE_02_a_replacement_is_warm_before_the_old_one_leaves) {
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const Pool pool = make_pool(
      {.processes = 1,
       .initializer = partial(initialise, bell.path(), file("marks"), gate.path()),
       .max_tasks_per_child = 6});
  const int first = pool.apply(own_pid);
  for (int i = 0; i != 2; ++i) EXPECT_EQ(pool.apply(own_pid), first);
  bell.wait();  // it is being warmed
  EXPECT_EQ(pool.pids(), std::vector<pid_t>{first});
  for (int i = 0; i != 3; ++i) EXPECT_EQ(pool.apply(own_pid), first);
  const auto next = pool.submit(own_pid);
  EXPECT_FALSE(next.wait_for(5ms));
  gate.open();
  EXPECT_NE(next.get(), first);
}

// 8 MiB each time, written to, never freed.
int leak_some() {
  constexpr std::size_t size = 8 << 20;
  static std::vector<void*> leaked;
  leaked.push_back(std::memset(std::malloc(size), static_cast<int>(leaked.size()) + 1, size));
  return getpid();
}

TEST_P(Conformance, P_LIFE_03_a_worker_that_has_grown_is_replaced) {
  const Pool pool = make_pool({.processes = 1, .max_memory_growth_bytes = 20 << 20});
  const int first = pool.apply(own_pid);
  for (int i = 0; i != 50; ++i) ASSERT_EQ(pool.apply(own_pid), first);
  int tasks = 0;
  EXPECT_TRUE(comes_true([&] {  // it looks at most every 100 ms: no more than 6 leaks
    return (++tasks <= 6 ? pool.apply(leak_some) : pool.apply(own_pid)) != first;
  }));
  EXPECT_EQ(pool.stats().workers_recycled, 1U);
}

std::size_t processes_of(const Pool& pool) {
  static_cast<void>(pool);
  std::size_t workers = 0;
  for (const auto& process : descendants(getpid())) {
    workers += process.state != 'Z' && process.name.starts_with("procpool-worke");
  }
  return workers;
}

TEST_P(Conformance, P_LIFE_workers_without_work_leave_and_come_back) {
  const Pool pool = make_pool({.processes = 3, .idle_timeout = 30ms});
  for (int round = 0; round != 3; ++round) {
    EXPECT_TRUE(comes_true([&] { return pool.pids().empty(); }));
    EXPECT_TRUE(comes_true([&] { return processes_of(pool) == 0; }));
    EXPECT_EQ(pool.processes(), 3);
    EXPECT_EQ(pool.apply(square, 5), 25);
    EXPECT_EQ(pool.map(square, first_numbers(30)).back(), 29 * 29);
  }
  EXPECT_EQ(pool.stats().workers_crashed, 0U);
}

TEST_P(Conformance, P_LIFE_a_pool_can_be_closed_and_resized_while_all_have_left) {
  Pool pool = make_pool({.processes = 2, .idle_timeout = 10ms});
  EXPECT_TRUE(comes_true([&] { return processes_of(pool) == 0; }));
  pool.resize(1);
  EXPECT_EQ(pool.apply(square, 2), 4);
  EXPECT_TRUE(comes_true([&] { return processes_of(pool) == 0; }));
  const auto last = pool.submit(square, 3);
  pool.close();
  pool.join();
  EXPECT_EQ(last.get(), 9);
}

TEST_P(Conformance, P_POOL_resize_up_and_down_loses_nothing) {
  Pool pool = make_pool(2);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  std::vector<Future<int>> futures;
  for (int i = 0; i != 60; ++i) {
    futures.push_back(pool.submit(ring_and_wait, bell.path(), gate.path(), i));
  }
  bell.wait(2);
  pool.resize(5);
  bell.wait(3);  // what waited in hands runs in the new ones
  EXPECT_EQ(pool.processes(), 5);
  EXPECT_EQ(pool.pids().size(), 5U);
  pool.resize(1);
  EXPECT_EQ(pool.processes(), 1);
  gate.open();
  for (int i = 0; i != 60; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
  EXPECT_TRUE(comes_true([&] { return processes_of(pool) == 1; }));
  EXPECT_EQ(pool.pids().size(), 1U);
  EXPECT_EQ(pool.stats().workers_crashed, 0U);
}

TEST_P(Conformance, P_POOL_resize_has_its_limits) {
  Pool pool = make_pool(1);
  EXPECT_TRUE(contains(error_of<Misuse>([&] { pool.resize(0); }), "must be at least 1"));
  EXPECT_THROW(pool.resize(-1), Misuse);
  EXPECT_THROW(pool.resize(4097), Misuse);
  EXPECT_EQ(pool.processes(), 1);
  pool.close();
  EXPECT_THROW(pool.resize(2), PoolClosed);
}

TEST_P(Conformance, P_POOL_stats_count) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto running = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  bell.wait();
  std::vector<Future<int>> queued;
  for (int i = 0; i != 20; ++i) queued.push_back(pool.submit(square, i));
  auto stats = pool.stats();
  EXPECT_EQ(stats.submitted, 21U);
  EXPECT_EQ(stats.done, 0U);
  EXPECT_EQ(stats.waiting + stats.handed, 21U);
  EXPECT_GE(stats.handed, 1U);
  EXPECT_EQ(stats.pending_bytes, 0U);
  gate.open();
  for (const auto& future : queued) future.wait();
  (void)pool.map(square, first_numbers(100));
  expect_hard_failure([&] { pool.apply(crash_or_throw, protects()); });
  EXPECT_EQ(pool.apply(square, 1), 1);
  stats = pool.stats();
  EXPECT_EQ(stats.submitted, 24U);
  EXPECT_EQ(stats.done, 24U);
  EXPECT_EQ(stats.waiting, 0U);
  EXPECT_EQ(stats.handed, 0U);
  EXPECT_EQ(stats.workers_started, protects() ? 2U : 1U);
  EXPECT_EQ(stats.workers_crashed, protects() ? 1U : 0U);
  EXPECT_EQ(stats.workers_recycled, 0U);
}

}  // namespace
}  // namespace procpool::test
