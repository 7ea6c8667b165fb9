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
#include "support/census.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

class Threads : public Census {};

TEST_F(Threads, P_JOB_01_tasks_run_in_this_process_on_as_many_threads) {
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

TEST_F(Threads, P_INIT_01_the_initializer_runs_once_on_each_thread) {
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

TEST_F(Threads, P_INIT_02_one_that_throws_breaks_the_pool_with_its_own_error) {
  fresh_room();
  try {
    const ThreadPool pool(PoolOptions{.processes = 4, .initializer = fail_second});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const PoolBroken& broken) {
    EXPECT_NE(std::string(broken.what()).find("no second"), std::string::npos) << broken.what();
    EXPECT_THROW(std::rethrow_if_nested(broken), std::out_of_range);
  }
}

std::string echo_or_throw(std::size_t size) {
  if (size < 30'000) return std::string(size, 'v');
  throw std::runtime_error(std::string(size, 'e'));
}

TEST_F(Threads, P_MAP_06_a_large_error_after_a_value_keeps_its_text) {
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

int twice(int x) { return 2 * x; }

TEST_F(Threads, P_POOL_08_dropped_in_its_own_task_or_callback_it_ends_by_itself) {
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

TEST_F(Threads, every_task_ends_once_whoever_interferes) {
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

TEST_F(Threads, flat_maps_are_split_and_each_element_is_run_once) {
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
