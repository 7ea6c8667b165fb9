// shutdown, and back-pressure at the door.
#include <atomic>
#include <future>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

TEST_P(Conformance, P_POOL_13_shutdown_waits_unless_told_otherwise) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 1);
  pool.shutdown({.wait = false});
  EXPECT_FALSE(future.ready());
  EXPECT_THROW(pool.submit(square, 1), PoolClosed);
  gate.open();
  pool.shutdown();
  EXPECT_TRUE(future.ready());
  EXPECT_EQ(future.get(), 1);
  EXPECT_NO_THROW(pool.shutdown({.cancel_futures = true}));
}

TEST_P(Conformance, P_POOL_13_what_has_not_started_can_be_cancelled) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto running = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  bell.wait();
  std::vector<Future<void>> queued;  // some in the worker's ring, some at home
  for (int i = 0; i != 300; ++i) queued.push_back(pool.submit(mark, file("marks")));
  const auto map = pool.map_async(mark, std::vector(50, file("marks")));
  pool.shutdown({.wait = false, .cancel_futures = true});
  for (const auto& future : queued) {
    ASSERT_TRUE(future.ready());
    ASSERT_TRUE(future.cancelled());
    ASSERT_THROW(future.get(), Cancelled);
  }
  EXPECT_THROW(map.get(), Cancelled);
  EXPECT_FALSE(running.ready());
  gate.open();
  pool.join();
  EXPECT_EQ(running.get(), 1);
  EXPECT_EQ(count_marks(file("marks")), 0U);
}

TEST_P(Conformance, P_POOL_13_a_map_that_has_begun_ends_with_what_it_began) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto map = pool.map_async(partial(ring_and_wait, bell.path(), gate.path()),
                                  first_numbers(20), {.chunksize = 10});
  bell.wait();
  pool.shutdown({.wait = false, .cancel_futures = true});
  EXPECT_FALSE(map.ready());
  gate.open();
  pool.join();
  EXPECT_THROW(map.get(), Cancelled);
}

TEST_P(Conformance, P_POOL_13_submits_race_with_a_shutdown_that_cancels) {
  for (int round = 0; round != 3; ++round) {
    Pool pool = make_pool(2);
    std::vector<std::vector<Future<int>>> accepted(3);
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
    pool.shutdown({.cancel_futures = true});
    threads.clear();
    for (const auto& mine : accepted) {
      for (std::size_t i = 0; i != mine.size(); ++i) {
        ASSERT_TRUE(mine[i].ready());
        if (mine[i].cancelled()) {
          ASSERT_THROW(mine[i].get(), Cancelled);
        } else {
          ASSERT_EQ(mine[i].get(), square(static_cast<int>(i % 1000)));
        }
      }
    }
  }
}

// ---- max_pending_bytes ---------------------------------------------------------------------------

int wait_with(const std::string& gate, const std::string& bytes) {
  pass_gate(gate);
  return static_cast<int>(bytes.size());
}

struct Full {
  explicit Full(Pool pool_, const std::string& gate_path) : gate(gate_path), pool(std::move(pool_)) {
    first = pool.submit(wait_with, gate.path(), std::string(700, 'x'));
  }
  Gate gate;
  Pool pool;
  Future<int> first;
};

TEST_P(Conformance, P_POOL_submit_waits_for_room_and_try_submit_declines) {
  Full full(make_pool({.processes = 1, .max_pending_bytes = 1000}), file("gate"));
  Pool& pool = full.pool;
  EXPECT_GE(pool.stats().pending_bytes, 700U);
  EXPECT_EQ(pool.try_submit(wait_with, full.gate.path(), std::string(700, 'y')), std::nullopt);
  const auto small = pool.try_submit(wait_with, full.gate.path(), std::string(1, 'y'));
  ASSERT_TRUE(small);
  std::atomic<bool> taken = false;
  Waiter submitter([&] {
    const auto second = pool.submit(wait_with, full.gate.path(), std::string(5000, 'y'));
    taken = true;
    EXPECT_EQ(second.get(), 5000);  // larger than the limit: alone
  });
  EXPECT_TRUE(submitter.sleeps());
  EXPECT_FALSE(taken);
  EXPECT_EQ(pool.stats().submitted, 2U);
  full.gate.open();
  submitter.join();
  EXPECT_EQ(small->get(), 1);
  EXPECT_EQ(pool.stats().pending_bytes, 0U);
  EXPECT_EQ(pool.map(square, first_numbers(2000)).back(), 1999 * 1999);  // larger than it, alone
}

int size_after(int, const std::string& bytes) { return static_cast<int>(bytes.size()); }

// It counts with what it brings itself, whether or not the value that it waits for is there.
TEST_P(Conformance, P_POOL_a_call_that_waits_for_a_future_waits_for_room_or_is_declined) {
  Full full(make_pool({.processes = 1, .max_pending_bytes = 1000}), file("gate"));
  const Pool other = make_pool(1);
  const auto there = other.submit(square, 2);
  there.wait();
  const std::string large(700, 'y');
  EXPECT_EQ(full.pool.try_submit(size_after, full.first, large), std::nullopt);
  EXPECT_EQ(full.pool.try_submit(size_after, there, large), std::nullopt);
  EXPECT_EQ(full.pool.stats().submitted, 1U);
  const auto small = full.pool.try_submit(size_after, full.first, std::string("y"));
  ASSERT_TRUE(small);
  Waiter submitter([&] { EXPECT_EQ(full.pool.submit(size_after, full.first, large).get(), 700); });
  EXPECT_TRUE(submitter.sleeps());
  EXPECT_EQ(full.pool.stats().submitted, 2U);
  full.gate.open();
  submitter.join();
  EXPECT_EQ(small->get(), 1);
  const auto taken = full.pool.try_submit(size_after, there, large);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->get(), 700);
}

TEST_P(Conformance, P_POOL_many_submitters_share_the_room) {
  const Pool pool = make_pool({.processes = 2, .max_pending_bytes = 200});
  std::vector<std::jthread> threads;
  std::atomic<int> sum = 0;
  for (int t = 0; t != 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i != 300; ++i) sum += pool.submit(square, 1).get();
    });
  }
  threads.clear();
  EXPECT_EQ(sum, 1200);
}

TEST_P(Conformance, P_POOL_a_callback_never_waits_for_room) {
  Full full(make_pool({.processes = 2, .max_pending_bytes = 1000}), file("gate"));
  std::promise<Future<int>> from_callback;
  full.pool.submit(square, 1).on_done([&](Future<int>&) {
    from_callback.set_value(full.pool.submit(wait_with, full.gate.path(), std::string(900, 'z')));
  });
  const auto submitted = from_callback.get_future().get();
  full.gate.open();
  EXPECT_EQ(submitted.get(), 900);
}

template <class Error>
void expect_woken_by(Full& full, const std::function<void()>& end) {
  Waiter submitter([&] {
    EXPECT_THROW(full.pool.submit(wait_with, full.gate.path(), std::string(700, 'y')), Error);
  });
  Waiter mapper([&] {
    EXPECT_THROW(full.pool.map(wait_with, std::vector(7, full.gate.path()),
                               std::vector(7, std::string(100, 'y'))),
                 Error);
  });
  EXPECT_TRUE(submitter.sleeps());
  EXPECT_TRUE(mapper.sleeps());
  end();
  submitter.join();
  mapper.join();
}

TEST_P(Conformance, P_POOL_terminate_and_close_wake_who_waits_for_room) {
  {
    Full full(make_pool({.processes = 1, .max_pending_bytes = 1000}), file("gate"));
    expect_woken_by<PoolTerminated>(full, [&] { full.pool.terminate(); });
    full.pool.join();
  }
  Full full(make_pool({.processes = 1, .max_pending_bytes = 1000}), file("other_gate"));
  expect_woken_by<PoolClosed>(full, [&] { full.pool.close(); });
  full.gate.open();
  EXPECT_EQ(full.first.get(), 700);
}

}  // namespace
}  // namespace procpool::test
