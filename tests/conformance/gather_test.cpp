// Several futures as one: gather.
#include <list>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

std::string text_of(int x) { return "text " + std::to_string(x); }
std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }
int fail_range(int x) { throw std::range_error("range " + std::to_string(x)); }
bool is_odd(int x) { return x % 2 != 0; }

TEST_P(Conformance, P_FUT_08_gather_makes_a_tuple) {
  const Pool pool = make_pool(2);
  const auto a = pool.submit(square, 3);
  const auto whole = gather(a, pool.submit(text_of, 4), pool.submit(mark, file("marks")));
  static_assert(std::is_same_v<decltype(whole),
                               const Future<std::tuple<int, std::string, std::monostate>>>);
  EXPECT_EQ(whole.get(), std::tuple(9, "text 4", std::monostate()));
  EXPECT_EQ(whole.get(), whole.get());
  EXPECT_TRUE(whole.ready());
  EXPECT_TRUE(whole.successful());
  EXPECT_EQ(a.get(), 9);
  EXPECT_NE(whole.id(), a.id());
  EXPECT_EQ(gather().get(), std::tuple<>());
  EXPECT_THROW((void)gather(a, Future<int>()), Misuse);
}

TEST_P(Conformance, P_FUT_08_gather_makes_a_vector_of_a_range) {
  const Pool pool = make_pool(2);
  std::list<Future<int>> futures;
  for (int i = 0; i != 100; ++i) futures.push_back(pool.submit(square, i));
  const std::vector<int> values = gather(futures).get();
  ASSERT_EQ(values.size(), 100U);
  for (int i = 0; i != 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i * i);
  EXPECT_EQ(futures.back().get(), 99 * 99);
  EXPECT_TRUE(gather(std::vector<Future<int>>()).get().empty());
  const std::vector<bool> odd = gather({pool.submit(is_odd, 1), pool.submit(is_odd, 2)}).get();
  EXPECT_EQ(odd, (std::vector{true, false}));
}

TEST_P(Conformance, P_MAP_11_futures_without_values_are_gathered) {
  const Pool pool = make_pool(2);
  std::vector<Future<>> futures;
  for (int i = 0; i != 5; ++i) futures.push_back(pool.submit(mark, file("marks")));
  EXPECT_EQ(gather(futures).get().size(), 5U);
  EXPECT_EQ(count_marks(file("marks")), 5U);
}

TEST_P(Conformance, P_FUT_08_gather_waits_for_all_and_throws_the_first_error_by_position) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto late = pool.submit(wait_at, gate.path(), 1);
  const auto bad = pool.submit(fail_range, 2);
  const auto whole = gather(late, pool.submit(fail_range, 1), bad);
  bad.wait();
  EXPECT_FALSE(whole.wait_for(2ms));
  EXPECT_FALSE(whole.ready());
  gate.open();
  EXPECT_EQ(error_of<std::range_error>([&] { whole.get(); }), "range 1");
  EXPECT_FALSE(whole.successful());
  EXPECT_NE(whole.remote_traceback(), "");
}

TEST_P(Conformance, P_FUT_08_gather_gives_away_what_it_holds_last) {
  const Pool pool = make_pool(2);
  for (int round = 0; round != 50; ++round) {
    auto [a, b] = gather(pool.submit(boxed, 1), pool.submit(boxed, 2)).get();
    EXPECT_EQ(*a + *b, 3);
    std::vector<Future<std::unique_ptr<int>>> futures;
    for (int i = 0; i != 3; ++i) futures.push_back(pool.submit(boxed, i));
    EXPECT_EQ(*gather(std::move(futures)).get()[2], 2);
  }
  const auto shared = pool.submit(boxed, 1);
  EXPECT_THROW((void)gather(shared).get(), Misuse);
  EXPECT_EQ(*shared.get(), 1);
}

TEST_P(Conformance, P_FUT_08_a_gathered_future_is_cancelled_as_a_whole) {
  const Pool pool = make_pool(1);
  Gate never(file("never"));
  const auto ready = pool.submit(square, 1);
  ready.wait();
  const auto runs = pool.submit(wait_at, never.path(), 1);
  const auto waits = pool.submit(wait_at, never.path(), 2);
  const auto whole = gather(ready, runs, waits);
  EXPECT_TRUE(whole.cancel());
  EXPECT_TRUE(whole.cancelled());
  EXPECT_FALSE(whole.cancel());
  EXPECT_THROW(whole.get(), Cancelled);
  EXPECT_TRUE(runs.cancelled());
  EXPECT_TRUE(waits.cancelled());
  EXPECT_EQ(ready.get(), 1);
}

TEST_P(Conformance, P_FUT_08_a_gathered_future_is_a_future) {
  Pool one = make_pool(1), other = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto a = one.submit(ring_and_wait, bell.path(), gate.path(), 1);
  const auto b = other.submit(square, 2);
  const auto inner = gather(a, b);
  const auto whole = gather({inner, gather(b, b)});
  bell.wait();
  EXPECT_TRUE(whole.running());
  EXPECT_FALSE(wait({whole}, ReturnWhen::all_completed, 1ms).not_done.empty());
  std::thread::id called_on;
  Bell called(file("called"));
  whole.on_done([&](auto& done) {
    called_on = std::this_thread::get_id();
    EXPECT_EQ(done.get()[1], std::tuple(4, 4));
    ring_bell(called.path());
  });
  gate.open();
  EXPECT_EQ(whole.get()[0], std::tuple(1, 4));
  called.wait();
  EXPECT_FALSE(whole.running());
  EXPECT_NE(called_on, std::this_thread::get_id());
  whole.on_done([&](auto&) { called_on = std::this_thread::get_id(); });
  EXPECT_EQ(called_on, std::this_thread::get_id());
  for (auto& done : as_completed({whole})) EXPECT_EQ(done, whole);
  // What is told in a callback is told by the pool of a part.
  one.close();
  one.join();
  EXPECT_EQ(whole.get().size(), 2U);
}

TEST_P(Conformance, P_FUT_08_a_gathered_future_ends_with_its_pools) {
  Pool one = make_pool(1), other = make_pool(1);
  Gate never(file("never"));
  const auto whole =
      gather(one.submit(square, 1), other.submit(wait_at, never.path(), 1));
  std::exception_ptr error;
  std::thread waiting([&] { error = whole.exception(); });
  other.terminate();
  waiting.join();
  EXPECT_THROW(std::rethrow_exception(error), PoolTerminated);
  EXPECT_THROW(whole.get(), PoolTerminated);
}

TEST_P(Conformance, P_FUT_08_many_threads_wait_for_one_gathered_future) {
  const Pool pool = make_pool(2);
  for (int round = 0; round != 20; ++round) {
    std::vector<Future<int>> futures;
    for (int i = 0; i != 20; ++i) futures.push_back(pool.submit(square, i));
    const auto whole = gather(futures);
    std::vector<std::thread> threads;
    std::atomic<int> sum = 0;
    for (int i = 0; i != 4; ++i) threads.emplace_back([&] { sum += whole.get()[3]; });
    for (auto& each : threads) each.join();
    EXPECT_EQ(sum, 36);
  }
}

}  // namespace
}  // namespace procpool::test
