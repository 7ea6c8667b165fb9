// Futures: what runs, what is cancelled, and how it is stopped.
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <stop_token>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

constexpr CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};
constexpr CancelOptions never_killed{.stop_grace = 1h, .term_grace = 1h};

TEST_P(Conformance, P_FUT_03_running_means_executing) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto first = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  const auto next = pool.submit(square, 2);  // in the worker's hands already
  bell.wait();
  EXPECT_TRUE(first.running());
  EXPECT_FALSE(next.running());
  gate.open();
  EXPECT_EQ(next.get(), 4);
  EXPECT_FALSE(first.running());
  EXPECT_FALSE(next.running());
  Gate again(file("again"));
  const auto map =
      pool.map_async(partial(ring_and_wait, bell.path(), again.path()), first_numbers(3));
  bell.wait();
  EXPECT_TRUE(map.running());
  again.open();
  map.wait();
  EXPECT_FALSE(map.running());
}

TEST_P(Conformance, P_FUT_04_what_is_queued_never_runs) {
  const std::string marks = file("marks");
  {
    const Pool pool = make_pool(1);
    Gate gate(file("gate"));
    Bell bell(file("bell"));
    const auto running = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
    bell.wait();
    // The first few are in the worker's ring, the others wait at home.
    std::vector<Future<void>> queued;
    for (int i = 0; i != 300; ++i) queued.push_back(pool.submit(mark, marks));
    for (const auto& future : queued) {
      ASSERT_TRUE(future.cancel());
      ASSERT_TRUE(future.ready());
      ASSERT_TRUE(future.cancelled());
      ASSERT_FALSE(future.cancel());
      ASSERT_FALSE(future.running());
      ASSERT_THROW(future.get(), Cancelled);
    }
    EXPECT_FALSE(running.cancelled());
    gate.open();
    EXPECT_EQ(running.get(), 1);
    EXPECT_FALSE(running.cancel());
    EXPECT_FALSE(running.cancelled());
    EXPECT_EQ(running.get(), 1);
  }
  EXPECT_EQ(count_marks(marks), 0U);
}

void ring_and_poll(const std::string& bell, const std::string& marks) {
  ring_bell(bell);
  while (!this_task::stop_requested()) std::this_thread::yield();
  add_mark(marks);
}

TEST_P(Conformance, P_FUT_04_a_task_that_polls_ends_by_itself) {
  const Pool pool = make_pool(1);
  Bell bell(file("bell"));
  const auto pids = pool.pids();
  const auto future = pool.with({.cancel = never_killed})
                          .submit(ring_and_poll, bell.path(), file("marks"));
  bell.wait();
  EXPECT_TRUE(future.cancel());
  EXPECT_THROW(future.get(), Cancelled);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(count_marks(file("marks")), 1U);
  EXPECT_EQ(pool.pids(), pids);
}

void ring_and_sleep_on_token(const std::string& bell, const std::string& marks) {
  const std::stop_token token = this_task::token();
  ring_bell(bell);
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any changed;
  changed.wait(lock, token, [] { return false; });
  add_mark(marks);
}

TEST_P(Conformance, P_FUT_04_a_token_wakes_a_task_that_sleeps_and_the_next_one_is_fresh) {
  const Pool pool = make_pool(1);
  Bell bell(file("bell"));
  for (std::size_t round = 1; round != 4; ++round) {
    const auto future = pool.with({.cancel = never_killed})
                            .submit(ring_and_sleep_on_token, bell.path(), file("marks"));
    bell.wait();
    EXPECT_TRUE(future.cancel());
    EXPECT_FALSE(pool.apply([] { return this_task::token().stop_requested(); }));
    EXPECT_EQ(count_marks(file("marks")), round);
  }
}

void ring_and_hang(const std::string& bell) {
  ring_bell(bell);
  for (;;) pause();
}
void ignore_and_hang(const std::string& bell) {
  signal(SIGTERM, SIG_IGN);
  ring_and_hang(bell);
}
void on_term(int) { _exit(7); }
void handle_and_hang(const std::string& bell) {
  signal(SIGTERM, on_term);
  ring_and_hang(bell);
}

TEST_P(Conformance, P_FUT_04_a_task_that_does_not_listen_is_killed_and_join_returns) {
  for (const auto task : {ring_and_hang, ignore_and_hang, handle_and_hang}) {
    Pool pool = make_pool(1);
    Bell bell(file("bell"));
    const auto future = pool.with({.cancel = at_once}).submit(task, bell.path());
    const auto behind = pool.submit(square, 5);
    bell.wait();
    EXPECT_TRUE(future.cancel());
    EXPECT_THROW(future.get(), Cancelled);
    EXPECT_EQ(behind.get(), 25);
    pool.close();
    pool.join();
    EXPECT_THROW(future.get(), Cancelled);
    std::filesystem::remove(bell.path());
  }
}

TEST_P(Conformance, P_FUT_04_join_waits_for_what_is_being_stopped) {
  Pool pool = make_pool(2);
  Bell bell(file("bell"));
  const auto future = pool.with({.cancel = {.stop_grace = 10ms, .term_grace = 10ms}})
                          .submit(ignore_and_hang, bell.path());
  bell.wait();
  EXPECT_TRUE(future.cancel());
  pool.close();
  pool.join();
}

int ring_then_hang_or_square(const std::string& bell, const std::string& marks, int x) {
  add_mark(marks);
  ring_and_hang(bell);
  return x;
}

TEST_P(Conformance, P_FUT_04_a_map_is_cancelled_as_a_whole) {
  const Pool pool = make_pool(2);
  Bell bell(file("bell"));
  const auto task = partial(ring_then_hang_or_square, bell.path(), file("marks"));
  for (const ChunkSize size : {ChunkSize(0), ChunkSize(1), ChunkSize(10)}) {
    const auto map = pool.with({.cancel = at_once})
                         .with(MapOptions{.chunksize = size})
                         .map_async(task, first_numbers(40));
    bell.wait(2);
    EXPECT_TRUE(map.cancel());
    EXPECT_TRUE(map.cancelled());
    EXPECT_THROW(map.get(), Cancelled);
    EXPECT_EQ(pool.map(square, {2, 3}), (std::vector{4, 9}));
  }
  EXPECT_EQ(count_marks(file("marks")), 6U);
}

TEST_P(Conformance, P_FUT_04_a_stop_token_cancels_before_during_and_after) {
  const Pool pool = make_pool(1);
  Bell bell(file("bell"));
  std::stop_source during;
  const auto running = pool.with({.stop = during.get_token(), .cancel = at_once})
                           .submit(ignore_and_hang, bell.path());
  bell.wait();
  during.request_stop();
  EXPECT_TRUE(running.cancelled());
  EXPECT_THROW(running.get(), Cancelled);

  const auto before = pool.with({.stop = during.get_token()});
  EXPECT_THROW(before.apply(mark, file("marks")), Cancelled);
  EXPECT_THROW(before.map(mark, std::vector{file("marks"), file("marks")}), Cancelled);

  std::stop_source after;
  const auto done = pool.with({.stop = after.get_token()}).submit(square, 4);
  EXPECT_EQ(done.get(), 16);
  after.request_stop();
  EXPECT_FALSE(done.cancelled());
  EXPECT_EQ(done.get(), 16);
  EXPECT_EQ(count_marks(file("marks")), 0U);
}

// Its chunks are cancelled, each element says so at its place.
TEST_P(Conformance, P_FUT_04_a_stop_token_ends_an_imap) {
  const Pool pool = make_pool(1);
  for (const int chunk : {1, 3}) {
    Gate gate(file("gate" + std::to_string(chunk)));
    std::stop_source stop;
    auto results = pool.with({.stop = stop.get_token()})
                       .with(MapOptions{.chunksize = chunk, .buffersize = 9})
                       .imap(partial(wait_at, gate.path()), first_numbers(9));
    stop.request_stop();
    gate.open();
    int cancelled = 0;
    for (int i = 0; i != 9; ++i) {
      try {
        (void)results.next();
      } catch (const Cancelled&) {
        ++cancelled;
      }
    }
    EXPECT_EQ(results.next(), std::nullopt);
    EXPECT_EQ(cancelled, 9);
  }
}

TEST_P(Conformance, P_FUT_04_callbacks_and_waiters_learn_of_it) {
  const Pool pool = make_pool(1);
  Bell bell(file("bell"));
  Gate gate(file("gate"));
  const auto future = pool.with({.cancel = at_once})
                          .submit(ring_and_wait, bell.path(), gate.path(), 1);
  std::promise<bool> called;
  future.on_done([&](Future<int>& f) { called.set_value(f.cancelled()); });
  std::thread waiter([&] { EXPECT_THROW(future.get(), Cancelled); });
  bell.wait();
  EXPECT_TRUE(future.cancel());
  waiter.join();
  EXPECT_TRUE(called.get_future().get());
}

}  // namespace
}  // namespace procpool::test
