// What fails leaves a capsule, under each start method.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>

#include "capsule/support.hpp"

namespace procpool::test {
namespace {

INSTANTIATE_TEST_SUITE_P(forkserver, OfEachMethod, testing::Values(StartMethod::forkserver));
INSTANTIATE_TEST_SUITE_P(fork, OfEachMethod, testing::Values(StartMethod::fork));
INSTANTIATE_TEST_SUITE_P(spawn, OfEachMethod, testing::Values(StartMethod::spawn));

int die(int number) {
  raise(SIGKILL);
  return number;
}
int reject(const std::string& row, int number) {
  throw std::runtime_error("no row " + row + std::to_string(number));
}
void hang() {
  for (;;) pause();
}
constexpr CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};

unsigned mode_of(const path& file) {
  struct stat status {};
  EXPECT_EQ(stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 07777;
}

TEST_P(OfEachMethod, a_crash_leaves_one_that_dies_again) {
  const Pool pool(options());
  const auto future = pool.with({.name = "last row"}).submit(die, 5);
  try {
    future.get();
    ADD_FAILURE() << "it did not die";
  } catch (const WorkerCrashed& error) {
    EXPECT_EQ(error.capsule(), only());
    EXPECT_EQ(error.capsule(), error.report().capsule);
    EXPECT_EQ(named_in(error.what()), only()) << error.what();
    EXPECT_EQ(error.signal(), SIGKILL);
  }
  EXPECT_EQ(mode_of(only()), 0600U);
  EXPECT_EQ(mode_of(folder()), 0700U);
  const std::string name = only().filename();
  EXPECT_TRUE(contains(name, "-" + std::to_string(getpid()) + "-")) << name;
  EXPECT_TRUE(name.ends_with("-last_row.capsule")) << name;
  const wire::Capsule capsule = read(only());
  EXPECT_EQ(capsule.failure, wire::Failure::crash);
  EXPECT_TRUE(contains(capsule.task.code, "die(int)")) << capsule.task.code;
  EXPECT_TRUE(contains(capsule.report, "SIGKILL")) << capsule.report;
  EXPECT_EQ(capsule.pool.start_method, GetParam());
  const Ran again = replay(only());
  EXPECT_EQ(again.signal, SIGKILL) << again.text;
  EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 1), 2);  // and the pool goes on
  EXPECT_EQ(left().size(), 1U);
}

TEST_P(OfEachMethod, an_exception_leaves_one_that_throws_again) {
  const Pool pool(options());
  const auto future = pool.submit(reject, std::string("seven "), 7);
  try {
    future.get();
    ADD_FAILURE() << "it did not throw";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no row seven 7");
    EXPECT_EQ(named_in(trace(error)), only()) << trace(error);
  }
  EXPECT_EQ(named_in(future.remote_traceback()), only()) << future.remote_traceback();
  EXPECT_TRUE(contains(read(only()).report, "std::runtime_error: no row seven 7"));
  const Ran again = replay(only());
  EXPECT_EQ(again.exited, 1);
  EXPECT_TRUE(contains(again.text, "reject(std::string const&, int)") &&
              contains(again.text, " threw:\n") &&
              contains(again.text, "std::runtime_error: no row seven 7\n"))
      << again.text;
}

TEST_P(OfEachMethod, a_timeout_leaves_one) {
  const Pool pool(options());
  const auto future = pool.with({.timeout = 50ms, .cancel = at_once}).submit(hang);
  try {
    future.get();
    ADD_FAILURE() << "it did not take too long";
  } catch (const TaskTimeout& error) {
    EXPECT_EQ(named_in(error.what()), only()) << error.what();
  }
  const wire::Capsule capsule = read(only());
  EXPECT_EQ(capsule.failure, wire::Failure::timeout);
  EXPECT_EQ(capsule.task.timeout, std::int64_t{50'000'000});
  const Ran told = describe(only());
  EXPECT_EQ(told.exited, 0);
  EXPECT_TRUE(contains(told.text, "timeout       0.05")) << told.text;
}

// It returns when it is asked to, and that is too late.
int until_stopped() {
  while (!this_task::stop_requested()) usleep(100);
  return 1;
}

TEST_P(OfEachMethod, a_value_that_comes_too_late_leaves_one) {
  const Pool pool(options());
  EXPECT_THROW(pool.with({.timeout = 20ms, .cancel = {.stop_grace = 60s}}).apply(until_stopped),
               TaskTimeout);
  EXPECT_EQ(read(only()).failure, wire::Failure::timeout);
}

int fail_some(const std::string& row) {
  if (row == "four") throw std::out_of_range(row + " at " + std::to_string(this_task::index()));
  if (row == "six") raise(SIGKILL);
  return static_cast<int>(row.size());
}

TEST_P(OfEachMethod, of_a_map_each_element_that_fails_leaves_its_own) {
  const Pool pool(options());
  const std::vector<std::string> rows{"zero", "one",  "two", "three",
                                      "four", "five", "six", "seven"};
  const auto outcomes = pool.with(MapOptions{.chunksize = 8}).map_settled(fail_some, rows);
  for (const auto& outcome : outcomes) {
    EXPECT_EQ(outcome.has_value(), outcome.index() != 4 && outcome.index() != 6) << outcome.index();
  }
  const auto files = left();
  ASSERT_EQ(files.size(), 2U);
  const wire::Capsule thrown = read(files[0]);
  EXPECT_EQ(thrown.task.number, 4U);
  EXPECT_TRUE(thrown.task.is_element);
  EXPECT_EQ(thrown.failure, wire::Failure::exception);
  EXPECT_LT(thrown.task.bytes, 100U);  // of the one element
  const Ran again = replay(files[0]);
  EXPECT_EQ(again.exited, 1);
  EXPECT_TRUE(contains(again.text, "std::out_of_range: four at 4\n")) << again.text;
  EXPECT_EQ(read(files[1]).task.number, 6U);
  EXPECT_EQ(replay(files[1]).signal, SIGKILL);
}

int fail_some_numbers(int x) {
  if (x == 20'000) throw std::out_of_range(std::to_string(x));
  if (x == 30'000) raise(SIGKILL);
  return x + 1;
}

// Large enough to go by the block.
TEST_P(OfEachMethod, so_does_each_of_a_map_of_numbers) {
  const Pool pool(options(2));
  std::vector<int> numbers(50'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  EXPECT_THROW(pool.map(fail_some_numbers, numbers), std::out_of_range);
  const auto files = left();
  ASSERT_EQ(files.size(), 2U);
  std::set<std::uint64_t> indices;
  for (const path& each : files) {
    const wire::Capsule capsule = read(each);
    indices.insert(capsule.task.number);
    const Ran again = replay(each);
    if (capsule.failure == wire::Failure::crash) {
      EXPECT_EQ(again.signal, SIGKILL) << again.text;
    } else {
      EXPECT_TRUE(contains(again.text, "std::out_of_range: 20000\n")) << again.text;
    }
  }
  EXPECT_EQ(indices, (std::set<std::uint64_t>{20'000, 30'000}));
}

int succeed_third() {
  if (this_task::attempt() < 3) raise(SIGKILL);
  return 3;
}

TEST_P(OfEachMethod, only_the_last_attempt_leaves_one) {
  const Pool pool(options());
  EXPECT_EQ(pool.with({.retries = 2}).apply(succeed_third), 3);
  EXPECT_TRUE(left().empty());
  EXPECT_THROW(pool.with({.retries = 2}).apply(die, 1), WorkerCrashed);
  EXPECT_EQ(read(only()).task.attempt, 3U);
  EXPECT_THROW(pool.with({.retries = 1, .retry_on = retry_on<std::runtime_error>()})
                   .apply(reject, std::string(), 1),
               std::runtime_error);
  ASSERT_EQ(left().size(), 2U);
  EXPECT_EQ(read(left().back()).task.attempt, 2U);
}

int base = 0;
void set_base(int to) { base += to; }
int divide_base(const std::string& switched) {
  if (!std::filesystem::exists(switched)) {
    throw std::domain_error("the base is " + std::to_string(base));
  }
  return base;
}

TEST_P(OfEachMethod, hooks_run_first) {
  PoolOptions with_hooks = options();
  with_hooks.preload = partial(set_base, 20);
  with_hooks.initializer = partial(set_base, 3);
  const Pool pool(with_hooks);
  EXPECT_THROW(pool.apply(divide_base, file("switch")), std::domain_error);
  EXPECT_EQ(base, 0);
  Ran again = replay(only());
  EXPECT_TRUE(contains(again.text, "the base is 23")) << again.text;
  std::filesystem::create_directory(file("switch"));
  again = replay(only());
  EXPECT_EQ(again.exited, 0);
  EXPECT_TRUE(contains(again.text, "returned a value of 4 bytes")) << again.text;
}

}  // namespace
}  // namespace procpool::test
