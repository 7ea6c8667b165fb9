// What is particular to pools of threads: they share this process, and nothing ends a task by force.
#include <gtest/gtest.h>
#include <procpool/procpool.hpp>
#include <unistd.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "local/rooms.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

TEST(Threads, P_JOB_01_tasks_run_in_this_process_on_as_many_threads) {
  const ThreadPool pool(3);
  EXPECT_EQ(pool.processes(), 3);
  EXPECT_EQ(pool.apply(getpid), getpid());
  Room& room = fresh_room();
  std::vector<Future<bool>> all;
  for (int i = 0; i != 3; ++i) all.push_back(pool.submit([] { return enter_room(), wait_for(3); }));
  for (const auto& each : all) EXPECT_TRUE(each.get());  // each waits for the other two
  EXPECT_EQ(room.threads.size(), 3U);
  EXPECT_FALSE(room.threads.contains(std::this_thread::get_id()));
}

thread_local int made = 0;
void make() {
  ++made;
  enter_room();
}

TEST(Threads, P_INIT_01_the_initializer_runs_once_on_each_thread) {
  Room& room = fresh_room();
  ThreadPool pool(PoolOptions{.processes = 3, .initializer = make});
  EXPECT_EQ(room.entered, 3);
  for (const int seen : pool.map([](int) { return made; }, std::vector<int>(200))) EXPECT_EQ(seen, 1);
  pool.resize(5);
  EXPECT_EQ(room.entered, 5);
  pool.resize(1);
  pool.resize(5);
  EXPECT_EQ(room.entered, 5);
  EXPECT_EQ(room.threads.size(), 5U);
  EXPECT_EQ(pool.processes(), 5);
}

void fail_second() {
  if (++this_room().entered == 2) throw std::out_of_range("no second");
}

TEST(Threads, P_INIT_02_one_that_throws_breaks_the_pool_with_its_own_error) {
  fresh_room();
  try {
    const ThreadPool pool(PoolOptions{.processes = 4, .initializer = fail_second});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const PoolBroken& broken) {
    EXPECT_NE(std::string(broken.what()).find("no second"), std::string::npos) << broken.what();
    EXPECT_THROW(std::rethrow_if_nested(broken), std::out_of_range);
  }
}

// ---- waiting inside ------------------------------------------------------------------------------

const ThreadPool* outer = nullptr;
int twice(int x) { return 2 * x; }
int sum_by_tasks(int depth) {
  if (depth == 0) return 1;
  const auto left = outer->submit(sum_by_tasks, depth - 1);
  const auto right = outer->submit(sum_by_tasks, depth - 1);
  return left.get() + right.get();
}
int sum_by_map(int n) {
  int sum = 0;
  for (const int x : outer->map(twice, std::vector<int>(static_cast<std::size_t>(n), 1))) sum += x;
  return sum;
}
int sum_by_chain(int n) {
  auto last = outer->submit(twice, 1);
  for (int i = 1; i != n; ++i) last = outer->submit(std::plus<int>(), last, 1);
  return last.get();
}
int sum_as_completed(int n) {
  std::vector<Future<int>> all;
  for (int i = 0; i != n; ++i) all.push_back(outer->submit(twice, 1));
  int sum = 0;
  for (const auto& each : as_completed(all)) sum += each.get();
  return sum;
}

TEST(Threads, P_MISUSE_a_task_that_waits_for_its_own_pool_runs_what_it_waits_for) {
  for (const int threads : {1, 2}) {
    const ThreadPool pool(threads);
    outer = &pool;
    EXPECT_EQ(pool.apply(sum_by_tasks, 8), 256);
    EXPECT_EQ(pool.apply(sum_by_map, 1000), 2000);
    EXPECT_EQ(pool.apply(sum_by_chain, 100), 101);
    EXPECT_EQ(pool.apply(sum_as_completed, 50), 100);
    EXPECT_EQ(pool.map(sum_by_tasks, std::vector<int>(20, 3)), std::vector<int>(20, 8));
  }
}

// The only thread waits, and what it waits for comes to be able to run while it sleeps.
TEST(Threads, P_FUT_09_a_task_that_sleeps_is_told_of_what_it_can_run) {
  static const ThreadPool* other;
  Room& room = fresh_room();
  const ThreadPool pool(1), second(1);
  outer = &pool;
  other = &second;
  const auto sum = pool.submit([] {
    const auto slow = other->submit([] { return wait_until_left(), 20; });
    const auto between = outer->submit(std::plus<int>(), slow, 1);
    const auto last = outer->submit(std::plus<int>(), between, 1);
    enter_room();
    return last.get();
  });
  ASSERT_TRUE(wait_for(1));
  room.open = true;
  EXPECT_EQ(sum.get(), 22);
}

TEST(Threads, P_POOL_07_join_in_a_task_is_misuse) {
  ThreadPool pool(1);
  static ThreadPool* self;
  self = &pool;
  EXPECT_THROW(pool.apply([] {
    self->close();
    self->join();
  }),
               Misuse);
  pool.join();
}

std::string echo_or_throw(std::size_t size) {
  if (size < 30'000) return std::string(size, 'v');
  throw std::runtime_error(std::string(size, 'e'));
}

TEST(Threads, P_MAP_06_a_large_error_after_a_value_keeps_its_text) {
  const ThreadPool pool(1);
  const auto all = pool.map_settled(
      echo_or_throw, std::vector<std::size_t>{1'000, 40'000, 20'000, 50'000}, {.chunksize = 4});
  EXPECT_EQ(all[0].value(), std::string(1'000, 'v'));
  EXPECT_EQ(all[2].value(), std::string(20'000, 'v'));
  for (const std::size_t i : {1UL, 3UL}) {
    try {
      static_cast<void>(all[i].value());
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::string(i == 1 ? 40'000 : 50'000, 'e'));
    }
  }
}

// ---- stopping ------------------------------------------------------------------------------------

void until_stopped() {
  enter_room();
  while (!this_task::stop_requested()) std::this_thread::yield();
  leave_room();
}
void until_left() {
  enter_room();
  wait_until_left();
}

TEST(Threads, P_POOL_06_terminate_ends_the_futures_at_once_and_asks_what_runs) {
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

TEST(Threads, P_JOB_02_whose_time_is_over_is_asked_and_after_a_grace_nobody_waits) {
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

TEST(Threads, P_JOB_02_a_timeout_in_a_map_is_one_elements_own) {
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

TEST(Threads, P_JOB_02_each_element_has_its_own_time) {
  const Room& room = fresh_room();
  const ThreadPool pool(1);
  const auto all = pool.with({.timeout = 10ms, .cancel = {.stop_grace = 1h}})
                       .map_settled(late_first, std::vector{0, 1, 2}, {.chunksize = 3});
  EXPECT_THROW(all[0].value(), TaskTimeout);
  EXPECT_THROW(all[1].value(), TaskTimeout);  // asked in its time, not after the first one's grace
  EXPECT_EQ(all[2].value(), 2);
  EXPECT_EQ(room.left, 2);
}

TEST(Threads, P_MAP_03_fail_fast_goes_on_after_a_deaf_element) {
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

TEST(Threads, P_FUT_04_a_cancelled_map_stops_where_it_is) {
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

TEST(Threads, P_FUT_04_a_token_wakes_a_task_that_sleeps) {
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

// ---- ends ----------------------------------------------------------------------------------------

TEST(Threads, P_POOL_08_dropped_in_its_own_task_or_callback_it_ends_by_itself) {
  static std::unique_ptr<ThreadPool> pool;
  pool = std::make_unique<ThreadPool>(2);
  Future<int> last;
  const auto dropper = pool->submit([] { return pool.reset(), 1; });
  EXPECT_EQ(dropper.get(), 1);
  pool = std::make_unique<ThreadPool>(2);
  std::latch called(1);
  last = pool->submit(twice, 3);
  pool->submit(twice, 4).on_done([&](auto&) {
    pool.reset();
    called.count_down();
  });
  called.wait();
  EXPECT_EQ(last.get(), 6);
}

TEST(Threads, every_task_ends_once_whoever_interferes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  ThreadPool pool(PoolOptions{.processes = 3, .max_pending_bytes = 20'000});
  std::atomic<int> ended = 0, started = 0;
  std::vector<std::thread> users;
  for (unsigned user = 0; user != 4; ++user) {
    users.emplace_back([&, user] {
      std::mt19937 random(seed + user);
      for (int round = 0; round != 60; ++round) {
        const std::size_t count = random() % 300;
        const auto map = pool.with(TaskOptions{.priority = static_cast<int>(random() % 3)})
                             .map_async([](std::vector<int> x) { return x.at(0) + 1; },
                                        std::vector(count, std::vector<int>(3, 1)),
                                        {.chunksize = random() % 3 == 0 ? 7 : 0});
        ++started;
        map.on_done([&](auto&) { ++ended; });
        if (random() % 4 == 0) map.cancel();
        if (random() % 8 == 0) pool.resize(1 + static_cast<int>(random() % 4));
        const auto call = pool.submit(twice, round);
        EXPECT_EQ(call.get(), 2 * round);
        if (map.cancelled()) continue;
        EXPECT_EQ(map.get(), std::vector<int>(count, 2));
      }
    });
  }
  for (auto& user : users) user.join();
  pool.close();
  pool.join();
  EXPECT_EQ(ended, started);
  EXPECT_EQ(pool.stats().submitted, pool.stats().done);
}

TEST(Threads, flat_maps_are_split_and_each_element_is_run_once) {
  const ThreadPool pool(3);
  std::vector<std::int64_t> numbers(300'000);
  for (std::size_t i = 0; i != numbers.size(); ++i) numbers[i] = static_cast<std::int64_t>(i);
  static std::atomic<int> runs;
  runs = 0;
  const auto got = pool.map([](std::int64_t x) { return ++runs, x + 1; }, numbers);
  EXPECT_EQ(runs, 300'000);
  for (std::size_t i = 0; i != got.size(); ++i) ASSERT_EQ(got[i], static_cast<std::int64_t>(i) + 1);
  const auto odd = [](std::int64_t x) {
    if (x % 1000 == 7) throw std::runtime_error("seven");
    return x;
  };
  const auto settled = pool.map_settled(odd, numbers);
  for (std::size_t i = 0; i != settled.size(); ++i) ASSERT_EQ(settled[i].has_value(), i % 1000 != 7);
  EXPECT_THROW(pool.map(odd, numbers), std::runtime_error);
}

}  // namespace
}  // namespace procpool::test
