// The pool: its calls, and its nature.
#include <unistd.h>

#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

// What a compiler says of it, compile_fail/P_POOL_09_*.cpp hold.
TEST(PoolType, P_POOL_09_is_neither_copied_nor_sent) {
  EXPECT_FALSE(std::is_copy_constructible_v<Pool> || std::is_copy_assignable_v<Pool>);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<Pool>);
  EXPECT_FALSE((task<int (*)(const Pool&), Pool>));
  EXPECT_FALSE(shippable<Pool>);
}
static_assert(!std::is_constructible_v<Pool, bool> && !std::is_constructible_v<Pool, char> &&
              !std::is_constructible_v<Pool, wchar_t> && !std::is_constructible_v<Pool, char32_t>);
static_assert(std::is_constructible_v<Pool, int> && std::is_constructible_v<Pool, std::size_t> &&
              std::is_constructible_v<Pool, short>);
static_assert(!std::is_convertible_v<int, Pool>);

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
