// Futures: waiting, values, errors, callbacks.
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

static_assert(std::is_same_v<AsyncResult<int>, Future<int>>);
static_assert(std::is_same_v<Future<int>::value_type, int>);
static_assert(std::is_same_v<Future<>, Future<void>>);
static_assert(std::is_same_v<decltype(std::declval<const Future<int>&>().get()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<Future<int>>().get()), int>);
static_assert(std::is_void_v<decltype(std::declval<const Future<>&>().get())>);
static_assert(std::is_nothrow_default_constructible_v<Future<int>>);
static_assert(std::is_copy_constructible_v<Future<std::unique_ptr<int>>>);

TEST_P(Conformance, P_FUT_01_get_as_often_as_wanted_and_with_a_limit) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 6);
  EXPECT_THROW((void)future.get_for(2ms), TimeoutError);
  EXPECT_FALSE(future.wait_for(1ms));
  EXPECT_FALSE(future.wait_for(std::chrono::seconds(-5)));
  EXPECT_FALSE(future.ready());
  gate.open();
  EXPECT_TRUE(future.wait_for(std::chrono::hours::max()));
  EXPECT_EQ(future.get(), 6);
  EXPECT_EQ(&future.get(), &future.get());
  EXPECT_EQ(future.get_for(0s), 6);
  const auto failed = pool.submit(fail_with, "text");
  for (int i = 0; i != 3; ++i) EXPECT_THROW(failed.get(), std::runtime_error);
}

TEST_P(Conformance, P_FUT_02_successful_before_ready_is_misuse) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 6);
  EXPECT_THROW((void)future.successful(), Misuse);
  gate.open();
  EXPECT_EQ(future.exception(), nullptr);
  EXPECT_TRUE(future.successful());
  EXPECT_EQ(future.remote_traceback(), "");
  const auto failed = pool.submit(fail_with, "text");
  EXPECT_NE(failed.exception(), nullptr);
  EXPECT_FALSE(failed.successful());
}

std::unique_ptr<int> make_unique_int(int x) { return std::make_unique<int>(x); }
std::string make_text(int length) { return std::string(static_cast<std::size_t>(length), 't'); }

TEST_P(Conformance, P_FUT_01_the_last_handle_gives_its_value_away) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(*pool.apply(make_unique_int, 3), 3);
  auto future = pool.submit(make_unique_int, 4);
  auto other = future;
  EXPECT_THROW(std::move(future).get(), Misuse);
  ASSERT_TRUE(future.valid());
  EXPECT_EQ(*future.get(), 4);
  other = {};
  EXPECT_EQ(*std::move(future).get(), 4);
  EXPECT_FALSE(future.valid());

  auto text = pool.submit(make_text, 1000);
  const auto copy = text;
  EXPECT_EQ(std::move(text).get(), std::string(1000, 't'));
  EXPECT_EQ(copy.get(), std::string(1000, 't'));
}

TEST(ConformanceOnce, P_FUT_an_empty_future_is_misuse) {
  const Future<int> empty;
  EXPECT_FALSE(empty.valid());
  EXPECT_THROW((void)empty.get(), Misuse);
  EXPECT_THROW((void)empty.get_for(0s), Misuse);
  EXPECT_THROW(empty.wait(), Misuse);
  EXPECT_THROW((void)empty.wait_for(0s), Misuse);
  EXPECT_THROW((void)empty.ready(), Misuse);
  EXPECT_THROW((void)empty.successful(), Misuse);
  EXPECT_THROW((void)empty.exception(), Misuse);
  EXPECT_THROW((void)empty.remote_traceback(), Misuse);
  EXPECT_THROW(empty.on_done([](Future<int>&) {}), Misuse);
  EXPECT_THROW((void)empty.id(), Misuse);
  EXPECT_EQ(empty, Future<int>());
}

TEST_P(Conformance, P_FUT_handles_of_one_task_are_equal_and_make_keys) {
  const Pool pool = make_pool(1);
  const auto a = pool.submit(square, 2), b = pool.submit(square, 3);
  const auto same = a;
  EXPECT_EQ(a, same);
  EXPECT_NE(a, b);
  EXPECT_NE(a.id(), b.id());
  EXPECT_EQ(a.id(), same.id());
  std::unordered_map<Future<int>, std::string> names{{a, "a"}, {b, "b"}};
  EXPECT_EQ(names.at(same), "a");
}

TEST_P(Conformance, P_FUT_futures_outlive_their_pool_and_dropping_one_cancels_nothing) {
  Future<int> kept;
  {
    const Pool pool = make_pool(1);
    Gate gate(file("gate"));
    kept = pool.submit(wait_at, gate.path(), 8);
    for (int i = 0; i != 10; ++i) pool.submit(mark, file("marks"));
    gate.open();
  }
  EXPECT_EQ(count_marks(file("marks")), 10U);
  EXPECT_EQ(kept.get(), 8);
}

TEST_P(Conformance, P_FUT_05_callbacks_run_once_in_order_off_the_waiting_thread) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  std::vector<int> order;
  std::set<std::thread::id> threads;
  const auto future = pool.submit(wait_at, gate.path(), 3);
  for (int i = 0; i != 20; ++i) {
    future.on_done([&, i](Future<int>& done) {
      EXPECT_TRUE(done.ready());
      EXPECT_EQ(done.get(), 3);
      order.push_back(i);
      threads.insert(std::this_thread::get_id());
    });
  }
  gate.open();
  EXPECT_EQ(future.get(), 3);
  pool.close();
  pool.join();
  EXPECT_EQ(order, first_numbers(20));
  EXPECT_EQ(threads.size(), 1U);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
  future.on_done([&](Future<int>&) { threads = {std::this_thread::get_id()}; });
  EXPECT_TRUE(threads.contains(std::this_thread::get_id()));
}

TEST_P(Conformance, P_FUT_05_a_throwing_callback_changes_no_outcome) {
  std::vector<std::string> told;
  int later = 0;
  Pool pool = make_pool({
      .processes = 1,
      .on_callback_error =
          [&](std::exception_ptr error) {
            told.push_back(error_of<std::logic_error>([&] { std::rethrow_exception(error); }));
          },
  });
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 3);
  future.on_done([](Future<int>&) { throw std::logic_error("in a callback"); });
  future.on_done([&](Future<int>&) { ++later; });
  gate.open();
  EXPECT_EQ(future.get(), 3);
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool.close();
  pool.join();
  EXPECT_EQ(told, std::vector<std::string>{"in a callback"});
  EXPECT_EQ(later, 1);
}

TEST_P(Conformance, P_FUT_05_callbacks_submit_a_hundred_deep_and_get) {
  Pool pool = make_pool(1);
  int depth = 0;
  Bell bell(file("bell"));
  std::function<void(Future<int>&)> next = [&](Future<int>&) {
    EXPECT_EQ(pool.apply(square, 2), 4);
    if (++depth == 100) return ring_bell(bell.path());
    pool.submit(square, depth).on_done(next);
  };
  Gate gate(file("gate"));
  pool.submit(wait_at, gate.path(), 0).on_done(next);
  gate.open();
  bell.wait();
  EXPECT_EQ(depth, 100);
}

TEST_P(Conformance, P_FUT_05_callbacks_terminate_but_do_not_join) {
  Pool pool = make_pool(1);
  Gate gate(file("gate")), never(file("never"));
  const auto first = pool.submit(wait_at, gate.path(), 0);
  const auto second = pool.submit(wait_at, never.path(), 0);
  std::string refused;
  first.on_done([&](Future<int>&) {
    refused = error_of<Misuse>([&] { pool.join(); });
    pool.terminate();
  });
  gate.open();
  EXPECT_THROW(second.get(), PoolTerminated);
  pool.join();
  EXPECT_NE(refused, "");
  EXPECT_EQ(first.get(), 0);
}

TEST_P(Conformance, P_FUT_05_a_callback_drops_the_pool) {
  Bell bell(file("bell"));
  Gate gate(file("gate"));
  const Holdings before = Holdings::now();
  auto pool = std::make_unique<Pool>(make_pool(1));
  auto& at_home = *pool;
  auto first = at_home.submit(wait_at, gate.path(), 1);
  auto second = at_home.submit(square, 5);
  const auto pids = at_home.pids();
  first.on_done([&](Future<int>&) {
    pool.reset();
    ring_bell(bell.path());
  });
  gate.open();
  bell.wait();
  EXPECT_EQ(second.get(), 25);
  for (const pid_t pid : pids) EXPECT_TRUE(ended_within(pid, 5s));
  // The futures stay, and hold nothing of the system.
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  const auto gone = [&] { return Holdings::now().descriptors.size() <= before.descriptors.size(); };
  while (!gone() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(gone());
  EXPECT_EQ(first.get(), 1);
}

TEST_P(Conformance, P_FUT_01_a_kept_future_holds_no_descriptor) {
  const Holdings before = Holdings::now();
  Future<int> kept;
  {
    const Pool pool = make_pool(1);
    kept = pool.submit(square, 4);
  }
  EXPECT_EQ(Holdings::now().descriptors.size(), before.descriptors.size());
  EXPECT_EQ(kept.get(), 16);
}

TEST_P(Conformance, P_FUT_07_each_failed_future_owns_its_error) {
  const Pool pool = make_pool(1);
  const auto a = pool.submit(crash_or_throw, protects()), b = pool.submit(crash_or_throw, protects());
  EXPECT_NE(a.exception(), nullptr);
  EXPECT_NE(a.exception(), b.exception());
  EXPECT_EQ(a.exception(), a.exception());
  Pool other = make_pool(1);
  Gate gate(file("gate"));
  const auto c = other.submit(wait_at, gate.path(), 1), d = other.submit(wait_at, gate.path(), 1);
  other.terminate();
  EXPECT_NE(c.exception(), d.exception());
  gate.open();  // for a thread, which nobody stops
}

}  // namespace
}  // namespace procpool::test
