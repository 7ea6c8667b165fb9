// The end of a pool: closed, terminated, joined, destroyed, while others still call it.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Clock = std::chrono::steady_clock;

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

void sleep_long() { std::this_thread::sleep_for(1h); }

// In Python the 10,000 would never complete.
TEST_P(Conformance, P_POOL_06_ten_thousand_queued_sleeps_end_within_a_second) {
  Pool pool = make_pool(2);
  std::vector<Future<void>> queued;
  for (int i = 0; i != 10'000; ++i) queued.push_back(pool.submit(sleep_long));
  const auto start = Clock::now();
  pool.terminate();
  pool.join();
  EXPECT_LT(Clock::now() - start, 1s);
  for (const auto& future : queued) {
    ASSERT_TRUE(future.ready());
    ASSERT_THROW(future.get(), PoolTerminated);
  }
}

TEST_P(Conformance, P_POOL_06_terminate_completes_every_future) {
  Pool pool = make_pool(2);
  Gate gate(file("gate"));
  std::vector<Future<int>> queued;
  for (int i = 0; i != 100; ++i) queued.push_back(pool.submit(wait_at, gate.path(), i));
  const auto whole = pool.map_async(partial(wait_at, gate.path()), first_numbers(100));
  pool.terminate();
  pool.join();
  for (const auto& future : queued) {
    ASSERT_TRUE(future.ready());
    ASSERT_THROW(future.get(), PoolTerminated);
  }
  EXPECT_THROW(whole.get(), PoolTerminated);
  EXPECT_THROW(pool.submit(square, 1), PoolTerminated);
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
  PoolOptions options;
  std::string* marks;
  ~UsesAPoolWhileUnwinding() {
    const Pool pool(options);
    pool.submit(mark, *marks);
  }
};

TEST_P(Conformance, P_POOL_08_a_pool_of_a_destructor_that_runs_in_unwinding_completes) {
  std::string marks = file("marks");
  try {
    const UsesAPoolWhileUnwinding user{here({.processes = 1}), &marks};
    throw std::logic_error("unwind");
  } catch (const std::logic_error&) {
  }
  EXPECT_EQ(count_marks(marks), 1U);
}

TEST_P(Conformance, P_POOL_13_submits_race_with_close) {
  for (int round = 0; round != 5; ++round) {
    Pool pool = make_pool(2);
    std::vector<std::vector<Future<int>>> accepted(4);
    std::atomic<int> begun = 0;
    std::vector<std::jthread> threads;
    for (auto& mine : accepted) {
      threads.emplace_back([&pool, &mine, &begun] {
        try {
          for (int i = 0; i != 1'000'000; ++i) {
            mine.push_back(pool.submit(square, i % 1000));
            if (i == 0) ++begun;
          }
        } catch (const PoolClosed&) {
        }
      });
    }
    while (begun != 4) std::this_thread::yield();
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

}  // namespace
}  // namespace procpool::test
