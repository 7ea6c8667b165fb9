// Coroutines and executors.
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

// A coroutine that starts at once and that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
};

// Jobs for the thread that calls `run_one`.
class Jobs {
 public:
  void execute(std::function<void()> job) {
    const std::lock_guard lock(lock_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }
  void run_one() {
    std::unique_lock lock(lock_);
    changed_.wait(lock, [this] { return !jobs_.empty(); });
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
};

// The same as a handle that is found by argument-dependent lookup.
struct JobsHandle {
  Jobs* jobs;
  friend void post(const JobsHandle& handle, std::function<void()> job) {
    handle.jobs->execute(std::move(job));
  }
};

struct Broken {
  void execute(std::function<void()>) const { throw std::domain_error("no executor"); }
};

std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }

TEST_P(Conformance, P_FUT_08_a_coroutine_goes_on_with_the_value) {
  const Pool pool = make_pool(1);
  Jobs jobs;
  std::vector<std::thread::id> threads;
  int sum = 0;
  const auto run = [&](Gate& gate) -> Detached {
    const auto future = pool.submit(wait_at, gate.path(), 1);
    static_assert(std::is_same_v<decltype((co_await future)), const int&>);
    sum += co_await future;
    threads.push_back(std::this_thread::get_id());
    sum += co_await pool.submit(square, 3);
    sum += *(co_await pool.submit(boxed, 5));  // the last handle: moved
    co_await pool.submit(mark, file("marks"));
    jobs.execute([] {});
  };
  Gate gate(file("gate"));
  run(gate);
  EXPECT_EQ(sum, 0);
  gate.open();
  jobs.run_one();
  EXPECT_EQ(sum, 15);
  EXPECT_EQ(count_marks(file("marks")), 1U);
  EXPECT_NE(threads.at(0), std::this_thread::get_id());
}

TEST_P(Conformance, P_FUT_08_a_coroutine_is_not_suspended_for_what_is_done) {
  const Pool pool = make_pool(1);
  const auto future = pool.submit(square, 3);
  future.wait();
  int value = 0;
  const auto run = [&]() -> Detached {
    for (int i = 0; i != 100'000; ++i) value = co_await future;  // and needs no stack
  };
  run();
  EXPECT_EQ(value, 9);
}

TEST_P(Conformance, P_FUT_08_a_coroutine_gets_the_error) {
  const Pool pool = make_pool(1);
  Jobs jobs;
  std::string error;
  const auto run = [&]() -> Detached {
    try {
      co_await pool.submit(fail_with, "text");
    } catch (const std::runtime_error& e) {
      error = e.what();
    }
    jobs.execute([] {});
  };
  run();
  jobs.run_one();
  EXPECT_EQ(error, "text");
  const auto empty = []() -> Detached { co_await Future<int>(); };
  EXPECT_THROW(empty(), Misuse);
}

TEST_P(Conformance, P_FUT_08_many_coroutines_await_one_future) {
  const Pool pool = make_pool(2);
  Jobs jobs;
  std::atomic<int> sum = 0;
  const auto run = [&](Future<int> future) -> Detached {
    sum += co_await future;
    jobs.execute([] {});
  };
  for (int round = 0; round != 200; ++round) {  // some are done before they suspend
    const auto future = pool.submit(square, 2);
    for (int i = 0; i != 5; ++i) run(future);
  }
  for (int i = 0; i != 1000; ++i) jobs.run_one();
  EXPECT_EQ(sum, 4000);
}

TEST_P(Conformance, P_FUT_08_a_coroutine_goes_on_where_it_was_told) {
  const Pool pool = make_pool(1);
  Jobs jobs;
  std::vector<std::thread::id> threads;
  int sum = 0;
  const auto run = [&]() -> Detached {
    const auto future = pool.submit(square, 3);
    sum += co_await future.on(jobs);
    threads.push_back(std::this_thread::get_id());
    sum += co_await future.on(JobsHandle{&jobs});  // done: it goes there all the same
    threads.push_back(std::this_thread::get_id());
    sum += *(co_await pool.submit(boxed, 5).on(jobs));
    threads.push_back(std::this_thread::get_id());
  };
  run();
  for (int i = 0; i != 3; ++i) jobs.run_one();
  EXPECT_EQ(sum, 23);
  EXPECT_EQ(threads, std::vector(3, std::this_thread::get_id()));
}

TEST_P(Conformance, P_FUT_08_an_executor_that_throws_does_not_lose_the_coroutine) {
  const Pool pool = make_pool(1);
  Jobs jobs;
  std::string error;
  const auto run = [&]() -> Detached {
    try {
      co_await pool.submit(square, 3).on(Broken());
    } catch (const std::domain_error& e) {
      error = e.what();
    }
    jobs.execute([] {});
  };
  run();
  jobs.run_one();
  EXPECT_EQ(error, "no executor");
}

TEST_P(Conformance, P_FUT_08_a_gathered_future_is_awaited) {
  const Pool pool = make_pool(2);
  Jobs jobs;
  int sum = 0;
  const auto run = [&]() -> Detached {
    const auto [a, b] = co_await gather(pool.submit(square, 3), pool.submit(square, 4));
    sum = a + b;
    jobs.execute([] {});
  };
  run();
  jobs.run_one();
  EXPECT_EQ(sum, 25);
}

TEST_P(Conformance, P_FUT_05_callbacks_run_in_an_executor) {
  Jobs jobs;
  std::vector<std::string> told;
  Pool pool = make_pool({
      .processes = 1,
      .on_callback_error =
          [&](std::exception_ptr error) {
            told.push_back(error_of<std::logic_error>([&] { std::rethrow_exception(error); }));
          },
  });
  Gate gate(file("gate"));
  const auto future = pool.submit(wait_at, gate.path(), 3);
  std::vector<int> values;
  const auto keep = [&values](Future<int>& done) { values.push_back(done.get()); };
  future.on_done(jobs, keep);
  future.on_done(JobsHandle{&jobs}, keep);
  future.on_done(jobs, [](Future<int>&) { throw std::logic_error("in an executor"); });
  gate.open();
  future.wait();
  future.on_done(jobs, keep);
  EXPECT_TRUE(values.empty());
  for (int i = 0; i != 4; ++i) jobs.run_one();
  EXPECT_EQ(values, std::vector(3, 3));
  EXPECT_EQ(told, std::vector<std::string>{"in an executor"});
  future.on_done(Broken(), keep);
  EXPECT_EQ(values.size(), 3U);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1], "no executor");
}

}  // namespace
}  // namespace procpool::test
