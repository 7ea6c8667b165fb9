// Timeouts, retries, names.
#include <unistd.h>

#include <stdexcept>
#include <system_error>
#include <thread>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

constexpr CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};

void hang() {
  for (;;) pause();
}

TEST_P(Conformance, P_JOB_02_a_task_that_takes_too_long_is_stopped) {
  const Pool pool = make_pool(1);
  const auto start = std::chrono::steady_clock::now();
  const auto future =
      pool.with({.timeout = 50ms, .name = "the slow one", .cancel = at_once}).submit(hang);
  const std::string text = error_of<TaskTimeout>([&] { future.get(); });
  EXPECT_TRUE(contains(text, "the slow one")) << text;
  EXPECT_TRUE(contains(text, "0.05")) << text;
  EXPECT_GE(std::chrono::steady_clock::now() - start, 50ms);
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(pool.apply(square, 3), 9);
}

// A queued task behind a long one: its time has not begun, though that of one that began later is
// over.
TEST_P(Conformance, P_JOB_02_the_time_counts_from_the_real_start) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  const auto lasting = pool.submit(ring_and_wait, bell.path(), gate.path(), 1);
  const TaskOptions limited{.timeout = 1s, .cancel = at_once};
  const auto with = pool.with(limited);
  std::vector<Future<int>> queued;
  for (int i = 0; i != 20; ++i) queued.push_back(with.submit(square, i));
  bell.wait();
  const Pool other = make_pool(1);
  EXPECT_THROW(other.with(limited).apply(wait_at, gate.path(), 1), TaskTimeout);
  EXPECT_FALSE(queued.front().ready());
  gate.open();
  for (int i = 0; i != 20; ++i) EXPECT_EQ(queued[static_cast<std::size_t>(i)].get(), i * i);
}

int hang_at_three(const std::string& marks, int x) {
  add_mark(marks + std::to_string(x));
  if (x == 3 && this_task::attempt() < 3) hang();
  return x;
}

TEST_P(Conformance, P_JOB_02_a_timeout_in_a_chunk_is_one_elements_own) {
  const Pool pool = make_pool(1);
  const auto task = partial(hang_at_three, file("marks"));
  const auto run = [&](unsigned retries) {
    return pool.with({.timeout = 100ms, .retries = retries, .cancel = at_once})
        .with(MapOptions{.chunksize = 8})
        .map_settled(task, first_numbers(8));
  };
  const auto once = run(0);
  for (const auto& outcome : once) EXPECT_EQ(outcome.has_value(), outcome.index() != 3);
  EXPECT_THROW(once[3].value(), TaskTimeout);
  const auto again = run(2);
  for (const auto& outcome : again) EXPECT_TRUE(outcome.has_value()) << outcome.index();
  for (int i = 0; i != 8; ++i) {
    EXPECT_EQ(count_marks(file("marks") + std::to_string(i)), i == 3 ? 4U : 2U) << i;
  }
}

// It returns when it is asked to, and that is too late.
bool until_stopped() {
  while (!this_task::stop_requested()) std::this_thread::yield();
  return true;
}

TEST_P(Conformance, P_JOB_02_a_value_that_comes_after_the_time_is_no_value) {
  const Pool pool = make_pool(1);
  const auto pids = pool.pids();
  EXPECT_THROW(pool.with({.timeout = 20ms}).apply(until_stopped), TaskTimeout);
  EXPECT_EQ(pool.pids(), pids);  // it left in peace
}

struct Transient : std::runtime_error {
  Transient() : std::runtime_error("again") {}
  template <class Archive>
  void serialize(Archive&) {}
};
struct VeryTransient : Transient {};
const bool known = register_exception<Transient>() && register_exception<VeryTransient>();

int fails_until(unsigned attempt, int kind) {
  if (this_task::attempt() < attempt) {
    if (kind == 0) throw VeryTransient();
    if (kind == 1) throw std::logic_error("never again");
    crash();
  }
  return static_cast<int>(this_task::attempt());
}

TEST_P(Conformance, P_JOB_02_exceptions_are_retried_when_they_are_named) {
  ASSERT_TRUE(known);
  const Pool pool = make_pool(2);
  const auto with = pool.with({.retries = 3, .retry_on = retry_on<Transient, std::system_error>()});
  EXPECT_EQ(with.apply(fails_until, 4U, 0), 4);
  EXPECT_THROW(with.apply(fails_until, 5U, 0), VeryTransient);
  EXPECT_THROW(with.apply(fails_until, 2U, 1), std::logic_error);
  EXPECT_THROW(pool.with({.retries = 3}).apply(fails_until, 2U, 0), VeryTransient);
  if (!protects()) return;
  EXPECT_EQ(with.apply(fails_until, 3U, 2), 3);  // crashes need no naming
  EXPECT_EQ(pool.with({.retries = 1}).apply(fails_until, 2U, 2), 2);
  EXPECT_THROW(pool.apply(fails_until, 2U, 2), WorkerCrashed);
}

int fails_by_element(const std::string& marks, int x) {
  add_mark(marks + std::to_string(x));
  const unsigned attempts = static_cast<unsigned>(x % 4) + 1;
  if (this_task::attempt() < attempts) throw Transient();
  return static_cast<int>(this_task::attempt() * 100 + this_task::index());
}

TEST_P(Conformance, P_JOB_02_exceptions_are_retried_per_element) {
  const Pool pool = make_pool(2);
  const auto with = pool.with({.retries = 3, .retry_on = retry_on<Transient>()});
  for (const int chunk : {1, 4, 40}) {
    const std::string marks = file("marks" + std::to_string(chunk) + "_");
    const auto got = with.map(partial(fails_by_element, marks), first_numbers(40),
                              {.chunksize = chunk});
    for (int i = 0; i != 40; ++i) {
      EXPECT_EQ(got[static_cast<std::size_t>(i)], (i % 4 + 1) * 100 + i);
      EXPECT_EQ(count_marks(marks + std::to_string(i)), static_cast<std::size_t>(i % 4 + 1));
    }
  }
}

TEST_P(Conformance, P_JOB_02_a_retry_can_be_cancelled_while_it_is_judged_or_waits) {
  Pool pool = make_pool(1);
  const auto with = pool.with({.retries = 4'000'000'000, .retry_on = retry_on<Transient>()});
  std::vector<Future<int>> futures;
  for (int i = 0; i != 50; ++i) futures.push_back(with.submit(fails_until, ~0U, 0));
  for (const auto& future : futures) {
    EXPECT_TRUE(future.cancel());
    EXPECT_THROW(future.get(), Cancelled);
  }
  EXPECT_EQ(pool.apply(square, 3), 9);
  pool.close();
  pool.join();
}

TEST_P(Conformance, P_JOB_02_errors_carry_the_name_and_the_attempt) {
  const Pool pool = make_pool(1);
  const auto with = pool.with({.retries = 2, .name = "price list"});
  EXPECT_EQ(with.apply([] { return std::string(this_task::name()); }), "price list");
  EXPECT_EQ(pool.apply([] { return std::string(this_task::name()); }), "");
  const std::string longest(65'535, 'x');
  EXPECT_EQ(pool.with({.name = longest}).apply([] { return this_task::name().size(); }), 65'535U);
  for (const int chunk : {1, 5}) {
    for (const auto& name : pool.with({.name = longest})
                                .map([](int) { return this_task::name().size(); },
                                     first_numbers(5), {.chunksize = chunk})) {
      EXPECT_EQ(name, 65'535U);
    }
  }
  if (!protects()) return;
  const auto future = with.submit(crash);
  try {
    future.get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const WorkerCrashed& error) {
    EXPECT_TRUE(contains(error.what(), "price list (attempt 3)")) << error.what();
    EXPECT_EQ(error.attempt(), 3U);
  }
}

TEST_P(Conformance, P_JOB_02_options_out_of_range_are_misuse) {
  const Pool pool = make_pool(1);
  const auto text = [&](TaskOptions options) {
    return error_of<Misuse>([&] { (void)pool.with(std::move(options)); });
  };
  EXPECT_TRUE(contains(text({.timeout = 0ns}), "TaskOptions::timeout"));
  EXPECT_TRUE(contains(text({.timeout = -1s}), "TaskOptions::timeout"));
  EXPECT_TRUE(contains(text({.name = std::string(65'536, 'x')}), "65536"));
  EXPECT_TRUE(contains(text({.cancel = {.stop_grace = -1ns}}), "CancelOptions::stop_grace"));
  EXPECT_TRUE(contains(text({.cancel = {.term_grace = -1ns}}), "CancelOptions::term_grace"));
  EXPECT_EQ(pool.with({.timeout = Duration::max()}).apply(square, 2), 4);
  EXPECT_EQ(pool.with({.cancel = {Duration::max(), Duration::max()}}).apply(square, 2), 4);
  EXPECT_THROW(pool.with(TaskOptions{.soft_timeout = 1s}), Misuse) << "not there yet";
}

}  // namespace
}  // namespace procpool::test
