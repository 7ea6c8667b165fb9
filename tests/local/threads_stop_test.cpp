// How tasks of a pool of threads are stopped: they are asked, and nothing ends one by force.
#include <gtest/gtest.h>
#include <procpool/procpool.hpp>

#include <thread>
#include <vector>

#include "local/rooms.hpp"
#include "support/census.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

class ThreadsStop : public Census {};

int twice(int x) { return 2 * x; }

void until_stopped() {
  enter_room();
  while (!this_task::stop_requested()) std::this_thread::yield();
  leave_room();
}
void until_left() {
  enter_room();
  wait_until_left();
}

TEST_F(ThreadsStop, P_POOL_06_terminate_ends_the_futures_at_once_and_asks_what_runs) {
  Room& room = fresh_room();
  ThreadPool pool(2);
  const auto running = pool.submit(until_stopped), also = pool.submit(until_left);
  std::vector<Future<int>> queued;
  for (int i = 0; i != 100; ++i) queued.push_back(pool.submit(twice, i));
  const auto map = pool.map_async(twice, std::vector<int>(100));
  ASSERT_TRUE(wait_for(2));
  pool.terminate();
  EXPECT_THROW(running.get(), PoolTerminated);
  EXPECT_THROW(also.get(), PoolTerminated);
  EXPECT_THROW(map.get(), PoolTerminated);
  for (const auto& each : queued) EXPECT_THROW(each.get(), PoolTerminated);
  EXPECT_FALSE(pool.join_for(1ms));  // somebody does not listen
  room.open = true;
  pool.join();
  EXPECT_EQ(room.left, 1);
}

TEST_F(ThreadsStop, P_JOB_02_whose_time_is_over_is_asked_and_after_a_grace_nobody_waits) {
  Room& room = fresh_room();
  const ThreadPool pool(2);
  const TaskOptions brief{.timeout = 5ms, .cancel = {.stop_grace = 5ms}};
  EXPECT_THROW(pool.with(brief).apply(until_stopped), TaskTimeout);
  EXPECT_EQ(room.left, 1);
  const auto deaf = pool.with(brief).submit(until_left);
  EXPECT_THROW(deaf.get(), TaskTimeout);
  EXPECT_FALSE(room.open);
  EXPECT_EQ(pool.apply(twice, 4), 8);  // by the other thread
  room.open = true;
}

int deaf_at_three(int x) {
  if (x == 3) until_left();
  return x;
}

TEST_F(ThreadsStop, P_JOB_02_a_timeout_in_a_map_is_one_elements_own) {
  for (const int chunk : {0, 1, 20}) {
    Room& room = fresh_room();
    const ThreadPool pool(2);
    std::vector<int> input(20);
    for (int i = 0; i != 20; ++i) input[static_cast<std::size_t>(i)] = i;
    const auto all = pool.with({.timeout = 20ms, .cancel = {.stop_grace = 1ms}})
                         .map_settled(deaf_at_three, input, {.chunksize = chunk});
    for (std::size_t i = 0; i != 20; ++i) {
      if (i == 3) {
        EXPECT_THROW(all[i].value(), TaskTimeout);
      } else {
        EXPECT_EQ(all[i].value(), static_cast<int>(i));
      }
    }
    room.open = true;
  }
}

int late_first(int x) {
  if (x == 0) until_stopped();
  if (x == 1) until_stopped();
  return x;
}

TEST_F(ThreadsStop, P_JOB_02_each_element_has_its_own_time) {
  const Room& room = fresh_room();
  const ThreadPool pool(1);
  const auto all = pool.with({.timeout = 10ms, .cancel = {.stop_grace = 1h}})
                       .map_settled(late_first, std::vector{0, 1, 2}, {.chunksize = 3});
  EXPECT_THROW(all[0].value(), TaskTimeout);
  EXPECT_THROW(all[1].value(), TaskTimeout);  // asked in its time, not after the first one's grace
  EXPECT_EQ(all[2].value(), 2);
  EXPECT_EQ(room.left, 2);
}

TEST_F(ThreadsStop, P_MAP_03_fail_fast_goes_on_after_a_deaf_element) {
  Room& room = fresh_room();
  const ThreadPool pool(1);
  const auto all = pool.with({.timeout = 5ms, .cancel = {.stop_grace = 1ms}})
                       .map_settled(deaf_at_three, std::vector{3, 4, 5},
                                    {.chunksize = 3, .fail_fast = true});
  EXPECT_THROW(all[0].value(), TaskTimeout);
  EXPECT_THROW(all[1].value(), Cancelled);
  EXPECT_THROW(all[2].value(), Cancelled);
  room.open = true;
}

TEST_F(ThreadsStop, P_FUT_04_a_cancelled_map_stops_where_it_is) {
  Room& room = fresh_room();
  const ThreadPool pool(2);
  const auto map = pool.map_async([](int) { until_stopped(); }, std::vector<int>(40));
  ASSERT_TRUE(wait_for(2));
  EXPECT_TRUE(map.running());
  EXPECT_TRUE(map.cancel());
  EXPECT_THROW(map.get(), Cancelled);
  EXPECT_EQ(pool.apply(twice, 1), 2);
  EXPECT_EQ(room.entered, 2);
}

TEST_F(ThreadsStop, P_FUT_04_a_token_wakes_a_task_that_sleeps) {
  fresh_room();
  const ThreadPool pool(1);
  const auto sleeper = pool.submit([] {
    const std::stop_token token = this_task::token();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    enter_room();
    changed.wait(lock, token, [] { return false; });
  });
  ASSERT_TRUE(wait_for(1));
  EXPECT_TRUE(sleeper.cancel());
  EXPECT_FALSE(pool.apply([] { return this_task::token().stop_requested(); }));
}

}  // namespace
}  // namespace procpool::test
