// Several futures: wait and as_completed.
#include <iterator>
#include <list>
#include <set>
#include <thread>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Futures = std::vector<Future<int>>;

static_assert(std::input_iterator<AsCompleted<int>::iterator>);
static_assert(!std::is_copy_constructible_v<AsCompleted<int>>);

TEST_P(Conformance, P_FUT_06_wait_for_all) {
  const Pool pool = make_pool(2);
  Futures futures;
  for (int i = 0; i != 20; ++i) futures.push_back(pool.submit(square, i));
  futures.push_back(futures[3]);
  const auto [done, not_done] = wait(futures);
  EXPECT_EQ(done, Futures(futures.begin(), futures.end() - 1));
  EXPECT_TRUE(not_done.empty());
  EXPECT_EQ(wait(std::list<Future<int>>(done.begin(), done.end())).done, done);
  EXPECT_TRUE(wait(Futures(), ReturnWhen::first_completed).done.empty());
  EXPECT_THROW(wait(Futures(1)), Misuse);
}

TEST_P(Conformance, P_FUT_06_wait_for_the_first) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto slow = pool.submit(wait_at, gate.path(), 1);
  const auto quick = pool.submit(square, 2);
  const auto first = wait(Futures{slow, quick, slow}, ReturnWhen::first_completed);
  EXPECT_EQ(first.done, Futures{quick});
  EXPECT_EQ(first.not_done, Futures{slow});
  // One is done already: nothing is waited for.
  EXPECT_EQ(wait({slow, quick}, ReturnWhen::first_completed).done, Futures{quick});
  gate.open();
  EXPECT_EQ(wait({slow, quick}).done, (Futures{slow, quick}));
}

TEST_P(Conformance, P_FUT_06_wait_for_the_first_exception) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto slow = pool.submit(wait_at, gate.path(), 1);
  const auto good = pool.submit(square, 2);
  const auto bad = pool.submit([](int x) -> int { throw std::range_error(std::to_string(x)); }, 3);
  const auto failed = wait({slow, bad}, ReturnWhen::first_exception);
  EXPECT_EQ(failed.done, Futures{bad});
  EXPECT_EQ(failed.not_done, Futures{slow});
  EXPECT_EQ(wait({slow, good, bad}, ReturnWhen::first_exception).not_done, Futures{slow});
  // A value, or a cancelled task, is no exception.
  const auto cancelled = pool.submit(square, 5);
  cancelled.cancel();
  EXPECT_EQ(wait({slow, good, cancelled}, ReturnWhen::first_exception, 1ms).not_done, Futures{slow});
  gate.open();
  EXPECT_TRUE(wait({slow, good, cancelled}, ReturnWhen::first_exception).not_done.empty());
}

TEST_P(Conformance, P_FUT_06_wait_with_a_limit) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const Futures futures{pool.submit(wait_at, gate.path(), 1), pool.submit(square, 2)};
  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, 2ms).not_done, futures);
  EXPECT_EQ(wait(futures, ReturnWhen::first_completed, 0s).not_done, futures);
  EXPECT_EQ(wait(futures, ReturnWhen::first_exception, -1s).not_done, futures);
  gate.open();
  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, std::chrono::hours::max()).done, futures);
  EXPECT_EQ(wait(futures, ReturnWhen::all_completed, std::nullopt).done, futures);
}

TEST_P(Conformance, P_FUT_06_as_completed_is_in_order_of_completion) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto slow = pool.submit(wait_at, gate.path(), 1);
  const auto early = pool.submit(square, 2);
  early.wait();
  const auto quick = pool.submit(square, 3);
  std::vector<int> order;
  for (auto& future : as_completed(Futures{slow, quick, early, quick, slow})) {
    EXPECT_TRUE(future.ready());
    order.push_back(future.get());
    if (order.size() == 2) gate.open();
  }
  if (order.front() == 9) std::swap(order[0], order[1]);  // both may have been done at the call
  EXPECT_EQ(order, (std::vector{4, 9, 1}));
}

TEST_P(Conformance, P_FUT_06_as_completed_sees_each_of_many_once) {
  const Pool pool = make_pool(2);
  std::vector<Future<int>> futures;
  for (int i = 0; i != 500; ++i) futures.push_back(pool.submit(square, i));
  auto completed = as_completed(futures);
  futures.clear();  // the handles were copied
  std::set<int> values;
  for (auto& future : completed) values.insert(std::move(future).get());
  EXPECT_EQ(values.size(), 500U);
  const auto none = as_completed(Futures());
  EXPECT_EQ(as_completed(Futures()).begin(), std::default_sentinel);
}

TEST_P(Conformance, P_FUT_06_as_completed_gives_errors_as_futures_that_have_them) {
  const Pool pool = make_pool(2);
  std::vector<Future<>> futures;
  for (int i = 0; i != 4; ++i) futures.push_back(pool.submit(fail_with, "text"));
  int failed = 0;
  for (const auto& future : as_completed(futures)) failed += future.exception() != nullptr;
  EXPECT_EQ(failed, 4);
}

TEST_P(Conformance, P_FUT_06_as_completed_with_a_limit) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto slow = pool.submit(wait_at, gate.path(), 1);
  const auto quick = pool.submit(square, 3);
  quick.wait();
  auto completed = as_completed({slow, quick}, 1ms);
  auto it = completed.begin();
  EXPECT_EQ(*it, quick);
  EXPECT_TRUE(contains(error_of<TimeoutError>([&] { ++it; }), "1 (of 2) futures unfinished"));
  EXPECT_THROW(as_completed({slow}, 0s).begin(), TimeoutError);
  EXPECT_FALSE(slow.ready());
  gate.open();
  for (auto& future : as_completed({slow}, std::chrono::hours::max())) EXPECT_EQ(future.get(), 1);
}

std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }

TEST_P(Conformance, P_FUT_06_as_completed_lets_each_handle_go) {
  const Pool pool = make_pool(2);
  std::vector<Future<std::unique_ptr<int>>> futures;
  for (int i = 0; i != 100; ++i) futures.push_back(pool.submit(boxed, i));
  auto completed = as_completed(std::exchange(futures, {}));
  int sum = 0;
  for (auto& future : completed) sum += *std::move(future).get();  // the last handle
  EXPECT_EQ(sum, 4950);
}

TEST_P(Conformance, P_FUT_06_futures_of_several_pools) {
  const Pool one = make_pool(1), other = make_pool(1);
  Gate gate(file("gate"));
  const auto slow = one.submit(wait_at, gate.path(), 1);
  const auto quick = other.submit(square, 2);
  EXPECT_EQ(wait({slow, quick}, ReturnWhen::first_completed).done, Futures{quick});
  EXPECT_EQ(wait({slow, quick}, ReturnWhen::all_completed, 1ms).not_done, Futures{slow});
  const auto last = other.submit(wait_at, gate.path(), 3);
  EXPECT_THROW(as_completed({slow, last}, 1ms).begin(), TimeoutError);
  const auto all = as_completed({slow, last, quick});
  gate.open();
  EXPECT_EQ(wait({slow, last}).done, (Futures{slow, last}));
  Futures many;
  for (int i = 0; i != 200; ++i) many.push_back((i % 2 == 0 ? one : other).submit(square, i));
  std::size_t count = 0;
  for (const auto& future : as_completed(many)) count += future.ready();
  EXPECT_EQ(count, 200U);
}

}  // namespace
}  // namespace procpool::test
