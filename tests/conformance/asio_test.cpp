// Boost.Asio: asio.hpp.
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/version.hpp>
#include <procpool/asio.hpp>
#if BOOST_VERSION >= 107700
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#endif

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

namespace asio = boost::asio;

std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }

TEST_P(Conformance, P_FUT_08_async_get_is_awaited) {
  const Pool pool = make_pool(2);
  asio::io_context context;
  const auto here = std::this_thread::get_id();
  int sum = 0;
  const auto run = [&]() -> asio::awaitable<void> {
    sum += co_await async_get(pool.submit(square, 3), asio::use_awaitable);
    EXPECT_EQ(std::this_thread::get_id(), here);
    sum += *(co_await async_get(pool.submit(boxed, 4), asio::use_awaitable));
    co_await async_get(pool.submit(mark, file("marks")), asio::use_awaitable);
    try {
      co_await async_get(pool.submit(fail_with, "text"), asio::use_awaitable);
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "text");
      sum += 100;
    }
    try {
      co_await async_get(pool.submit([](int x) -> int { throw std::range_error(std::to_string(x)); },
                                     1),
                         asio::use_awaitable);
    } catch (const std::range_error&) {
      sum += 1000;
    }
  };
  asio::co_spawn(context, run(), asio::detached);
  context.run();  // ends when nothing is under way
  EXPECT_EQ(sum, 1113);
  EXPECT_EQ(count_marks(file("marks")), 1U);
}

TEST_P(Conformance, P_FUT_08_async_get_calls_a_handler_and_never_at_once) {
  const Pool pool = make_pool(1);
  asio::io_context context;
  const auto future = pool.submit(square, 3);
  future.wait();
  int value = 0;
  const auto executor = context.get_executor();
  async_get(future, asio::bind_executor(executor, [&](std::exception_ptr error, int x) {
              EXPECT_EQ(error, nullptr);
              value = x;
            }));
  EXPECT_EQ(value, 0);
  context.run();
  EXPECT_EQ(value, 9);
  EXPECT_THROW(async_get(Future<int>(), [](std::exception_ptr, int) {}), Misuse);
}

TEST_P(Conformance, P_FUT_05_asio_contexts_and_executors_run_callbacks) {
  const Pool pool = make_pool(1);
  asio::thread_pool threads(1);
  asio::io_context context;
  int calls = 0;
  const auto future = pool.submit(square, 3);
  future.wait();
  future.on_done(context, [&](Future<int>& done) { calls += done.get(); });
  future.on_done(context.get_executor(), [&](Future<int>& done) { calls += done.get(); });
  EXPECT_EQ(calls, 0);
  context.run();
  EXPECT_EQ(calls, 18);
  future.on_done(threads, [&](Future<int>& done) { calls += done.get(); });
  threads.join();
  EXPECT_EQ(calls, 27);
}

TEST_P(Conformance, P_FUT_08_a_cancellation_slot_cancels_the_task) {
#if BOOST_VERSION < 107700
  GTEST_SKIP() << "Asio has cancellation slots from Boost 1.77 on; here it is " BOOST_LIB_VERSION;
#else
  const Pool pool = make_pool(1);
  Gate never(file("never"));
  asio::io_context context;
  asio::cancellation_signal signal;
  const auto future = pool.submit(wait_at, never.path(), 1);
  std::exception_ptr error;
  async_get(future, asio::bind_cancellation_slot(
                        signal.slot(), asio::bind_executor(context.get_executor(),
                                                           [&](std::exception_ptr e, int) {
                                                             error = e;
                                                           })));
  signal.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(future.cancelled());
  context.run();
  EXPECT_THROW(std::rethrow_exception(error), Cancelled);
#endif
}

}  // namespace
}  // namespace procpool::test
