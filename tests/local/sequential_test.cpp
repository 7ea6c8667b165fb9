// A sequential pool: a task runs in the call that submits it. And the pool that a process shares.
#include <gtest/gtest.h>
#include <procpool/procpool.hpp>

#include <functional>
#include <latch>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/census.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

class Sequential : public Census {};

Pool sequential(PoolOptions options = {}) {
  options.backend = Backend::sequential;
  return Pool(std::move(options));
}

std::thread::id ran_on;
int note_thread(int x) {
  ran_on = std::this_thread::get_id();
  return x;
}

TEST_F(Sequential, P_JOB_01_a_task_runs_in_the_call_that_submits_it) {
  const Pool pool = sequential({.processes = 8});
  EXPECT_EQ(pool.processes(), 1);
  const auto future = pool.submit(note_thread, 5);
  EXPECT_TRUE(future.ready());
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(future.get(), 5);
  std::thread other([&] {
    EXPECT_EQ(pool.map(note_thread, std::vector{1, 2, 3}), (std::vector{1, 2, 3}));
    EXPECT_EQ(ran_on, std::this_thread::get_id());
  });
  other.join();
}

[[noreturn]] void fail() { throw std::out_of_range("five"); }

TEST_F(Sequential, P_ERR_what_a_task_throws_comes_out_of_its_future) {
  const Pool pool = sequential();
  const auto failed = pool.submit(fail);
  EXPECT_TRUE(failed.ready());
  EXPECT_THROW(failed.get(), std::out_of_range);
  EXPECT_THROW(pool.apply(fail), std::out_of_range);
}

const Pool* outer = nullptr;
int factorial(int n) { return n == 0 ? 1 : n * outer->submit(factorial, n - 1).get(); }

TEST_F(Sequential, P_POOL_12_tasks_submit_to_their_own_pool) {
  const Pool pool = sequential();
  outer = &pool;
  EXPECT_EQ(pool.apply(factorial, 10), 3628800);
  EXPECT_EQ(pool.map(factorial, {3, 4}), (std::vector{6, 24}));
}

TEST_F(Sequential, P_IMAP_02_reads_a_bounded_piece_of_an_infinite_range) {
  const Pool pool = sequential();
  int read = 0;
  auto results = pool.imap(note_thread, std::views::iota(0) | std::views::transform([&](int x) {
                                          return ++read, x;
                                        }));
  int next = 0;
  for (const int x : results) {
    EXPECT_EQ(x, next);
    if (++next == 100) break;
  }
  EXPECT_LT(read, 120);
}

TEST_F(Sequential, P_FUT_09_what_waits_for_another_pool_runs_when_that_is_done) {
  const Pool pool = sequential();
  static std::latch* gate;
  std::latch opened(1);
  gate = &opened;
  const ThreadPool threads(1);
  const auto slow = threads.submit([] { return gate->wait(), 20; });
  const auto waited_for = pool.submit(std::plus<int>(), slow, 1);
  const auto called_back = pool.submit(std::plus<int>(), slow, 2);
  EXPECT_FALSE(waited_for.ready());
  std::latch heard(1);
  called_back.on_done([&](auto&) { heard.count_down(); });
  opened.count_down();
  heard.wait();  // nobody waits for it, and it runs
  EXPECT_EQ(called_back.get(), 22);
  EXPECT_EQ(waited_for.get(), 21);
}

TEST_F(Sequential, P_JOB_02_a_task_learns_that_its_time_is_over) {
  const Pool pool = sequential();
  EXPECT_THROW(pool.with({.timeout = 5ms, .cancel = {.stop_grace = 1h}}).apply([] {
    while (!this_task::stop_requested()) std::this_thread::yield();
  }),
               TaskTimeout);
  EXPECT_EQ(pool.apply(note_thread, 1), 1);
}

TEST_F(Sequential, P_POOL_07_join_and_terminate_in_a_task) {
  static Pool* self;
  Pool pool = sequential();
  self = &pool;
  EXPECT_THROW(pool.apply([] {
    self->terminate();
    self->join();
  }),
               PoolTerminated);
  pool.join();
  EXPECT_THROW(pool.submit(note_thread, 1), PoolTerminated);
}

// ---- the shared pool -----------------------------------------------------------------------------

int squared(int x) { return x * x; }

TEST(DefaultPool, P_JOB_01_is_made_on_first_use_and_shared) {
  set_default_pool({.processes = 2, .backend = Backend::thread});
  EXPECT_EQ(parallel_map(squared, std::vector{1, 2, 3}), (std::vector{1, 4, 9}));
  EXPECT_EQ(&default_pool(), &default_pool());
  EXPECT_EQ(default_pool().processes(), 2);
  default_pool().resize(3);
  EXPECT_EQ(parallel_map(squared, std::views::iota(0, 4), {.chunksize = 1}),
            (std::vector{0, 1, 4, 9}));
  EXPECT_EQ(default_pool().processes(), 3);
  EXPECT_THROW(set_default_pool({}), Misuse);

  // One that is over is followed by another.
  for (int round = 0; round != 2; ++round) {
    Pool& over = default_pool();
    EXPECT_TRUE(over.stats().open);
    round == 0 ? over.close() : over.terminate();
    EXPECT_FALSE(over.stats().open);
    EXPECT_EQ(parallel_map(squared, std::vector{1, 2, 3}), (std::vector{1, 4, 9}));
    EXPECT_NE(&default_pool(), &over);
    EXPECT_FALSE(over.stats().open) << "it is still there";
    over.join();
  }
}

}  // namespace
}  // namespace procpool::test
