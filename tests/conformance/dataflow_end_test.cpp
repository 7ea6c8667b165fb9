// Futures as arguments: errors, ends, several pools.
#include <stop_token>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

int add(int a, int b) { return a + b; }
int fail_range(int x) { throw std::range_error("range " + std::to_string(x)); }
int fail_at(const std::string& gate, int x) {
  pass_gate(gate);
  return fail_range(x);
}

TEST_P(Conformance, P_FUT_09_an_upstream_error_is_the_dependants) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto late = pool.submit(fail_at, gate.path(), 1);
  const auto early = pool.submit(fail_range, 2);
  early.wait();
  const auto marks = file("marks");
  const auto marked = [](const std::string& path, int, int) { add_mark(path); };
  const auto both = pool.submit(marked, marks, late, early);
  const auto next = pool.submit(add, pool.submit(add, late, 1), 1);
  EXPECT_FALSE(both.ready());
  EXPECT_EQ(error_of<std::range_error>([&] { pool.apply(add, 1, early); }), "range 2");
  gate.open();
  EXPECT_EQ(error_of<std::range_error>([&] { both.get(); }), "range 1");
  EXPECT_EQ(error_of<std::range_error>([&] { next.get(); }), "range 1");
  EXPECT_NE(next.remote_traceback(), "");
  EXPECT_NE(next.exception(), late.exception());
  EXPECT_EQ(count_marks(marks), 0U);
  const auto map = pool.map_async(fail_range, {5, 4});
  const auto size = [](const std::vector<int>& all) { return all.size(); };
  EXPECT_EQ(error_of<std::range_error>([&] { pool.apply(size, map); }), "range 5");
  EXPECT_EQ(error_of<std::range_error>([&] { pool.apply(size, gather({early, late})); }), "range 2");
  const auto lost = pool.submit([](bool protects) { crash_or_throw(protects); return 1; }, protects());
  expect_hard_failure([&] { pool.apply(add, 1, lost); });
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Conformance, P_FUT_09_cancelling_goes_downstream_and_not_up) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto up = pool.submit(wait_at, gate.path(), 1);
  const auto down = pool.submit(add, up, 1);
  const auto further = pool.submit(add, down, 1);
  EXPECT_TRUE(down.cancel());
  EXPECT_THROW(down.get(), Cancelled);
  EXPECT_THROW(further.get(), Cancelled);
  EXPECT_FALSE(up.ready());
  std::stop_source stop;
  const auto stopped = pool.with(TaskOptions{.stop = stop.get_token()}).submit(add, up, 1);
  stop.request_stop();
  EXPECT_TRUE(stopped.cancelled());
  gate.open();
  EXPECT_EQ(up.get(), 1);
  const auto cancelled = pool.submit(square, 1);
  if (cancelled.cancel()) {
    EXPECT_THROW(pool.apply(add, cancelled, 1), Cancelled);
  }
}

TEST_P(Conformance, P_FUT_09_its_pool_ends_without_it) {
  Pool pool = make_pool(1), upstream = make_pool(1);
  Gate gate(file("gate"));
  const auto up = upstream.submit(wait_at, gate.path(), 1);
  const auto down = pool.submit(add, up, 1);
  pool.terminate();
  EXPECT_THROW(down.get(), PoolTerminated);
  pool.join();
  gate.open();
  EXPECT_EQ(up.get(), 1);
  EXPECT_THROW(pool.submit(add, up, 1), PoolTerminated);
}

TEST_P(Conformance, P_FUT_09_a_closed_pool_finishes_what_waits_for_others) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Future<int> down, large;
  {
    Pool upstream = make_pool(1);
    const auto up = upstream.submit(wait_at, gate.path(), 1);
    down = pool.submit(add, up, up);
    large = pool.submit(
        [](int x, const std::string& text) { return x + static_cast<int>(text.size()); }, up,
        std::string(100'000, 'x'));
    pool.close();
    EXPECT_FALSE(pool.join_for(1ms));
    gate.open();
  }
  pool.join();
  EXPECT_EQ(down.get(), 2);
  EXPECT_EQ(large.get(), 100'001);
}

TEST_P(Conformance, P_FUT_09_shutdown_cancels_what_is_held) {
  Pool pool = make_pool(1), upstream = make_pool(1);
  Gate gate(file("gate"));
  const auto down = pool.submit(add, upstream.submit(wait_at, gate.path(), 1), 1);
  pool.shutdown({.cancel_futures = true});
  EXPECT_THROW(down.get(), Cancelled);
  gate.open();
}

TEST_P(Conformance, P_FUT_09_a_crash_of_the_dependant_is_retried_with_its_bytes) {
  const Pool pool = make_pool(1);
  const auto marks = file("marks");
  const auto once = [](const std::string& path, int x, const std::string& text) {
    add_mark(path);
    if (count_marks(path) == 1) crash();
    return x + static_cast<int>(text.size());
  };
  Gate gate(file("gate"));
  const auto up = pool.submit(wait_at, gate.path(), 1);
  const auto down =
      pool.with(TaskOptions{.retries = 1}).submit(once, marks, up, std::string(50'000, 'x'));
  gate.open();
  EXPECT_EQ(down.get(), 50'001);
  EXPECT_EQ(count_marks(marks), 2U);
}

}  // namespace
}  // namespace procpool::test
