// Who runs a capsule again, and what they say when they cannot.
#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>

#include <procpool/named.hpp>

#include "capsule/support.hpp"

namespace procpool::test {
namespace {

struct Seen {
  std::string name;
  unsigned attempt = 0;
  std::uint64_t seed = 0;
  bool in_worker = false;
};
std::string text_of(const Seen& seen) {
  return seen.name + ' ' + std::to_string(seen.attempt) + ' ' + std::to_string(seen.seed) + ' ' +
         std::to_string(seen.in_worker);
}
void tell_what_is_seen() {
  throw std::runtime_error(text_of(
      {std::string(this_task::name()), this_task::attempt(), this_task::seed(), in_worker()}));
}

TEST_F(LeavesCapsules, a_task_sees_what_it_saw_in_its_worker) {
  const Pool pool(options());
  pool.apply([] {});
  try {
    pool.with({.name = "the one"}).apply(tell_what_is_seen);
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    const Ran again = replay(only());
    EXPECT_TRUE(contains(again.text, std::string("std::runtime_error: ") + error.what() + "\n"))
        << error.what() << "\n"
        << again.text;
  }
}

int through_a_pool(int x) {
  const Pool pool({.processes = 1});
  throw std::runtime_error("the pool says " +
                           std::to_string(pool.apply([](int y) { return -y; }, x)));
}

TEST_F(LeavesCapsules, a_task_may_make_pools_of_its_own) {
  const Pool pool(options());
  EXPECT_THROW(pool.apply(through_a_pool, 5), std::runtime_error);
  const Ran again = replay(only());
  EXPECT_EQ(again.exited, 1);
  EXPECT_TRUE(contains(again.text, "the pool says -5")) << again.text;
}

int after(int x, int y) {
  throw std::runtime_error(std::to_string(x) + " and " + std::to_string(y));
}

TEST_F(LeavesCapsules, a_future_among_the_arguments_is_its_value) {
  const Pool pool(options());
  const auto first = pool.submit([](int x) { return 2 * x; }, 4);
  EXPECT_THROW(pool.apply(after, first, 1), std::runtime_error);
  EXPECT_TRUE(contains(replay(only()).text, "std::runtime_error: 8 and 1\n"));
}

TEST_F(LeavesCapsules, another_build_is_told_with_both_names) {
  const Pool pool(options());
  EXPECT_THROW(pool.apply(after, 1, 2), std::runtime_error);
  const Ran other = replay_by_worker(only());
  EXPECT_EQ(other.exited, 2);
  EXPECT_TRUE(contains(other.text, "of another build") &&
              contains(other.text, "procpool_test_capsule (build id ") &&
              contains(other.text, "procpool-worker (build id "))
      << other.text;
  EXPECT_EQ(std::count(other.text.begin(), other.text.end(), '\n'), 1) << other.text;
  const Ran told = run(PROCPOOL_WORKER_PROGRAM " --describe " + only().string());
  EXPECT_EQ(told.exited, 0);
  EXPECT_TRUE(contains(told.text, "after(int, int)")) << told.text;
}

TEST_F(LeavesCapsules, a_task_by_name_is_run_by_any_program_that_has_it) {
  PoolOptions elsewhere = options(StartMethod::spawn);
  elsewhere.worker_executable = PROCPOOL_WORKER_PROGRAM;
  elsewhere.modules = {PROCPOOL_CAPSULE_MODULE};
  const Pool pool(elsewhere);
  EXPECT_EQ(pool.apply(remote<int(int)>("halve"), 8), 4);
  EXPECT_THROW(pool.apply(remote<int(int)>("halve"), 7), std::invalid_argument);
  EXPECT_THROW(pool.apply(remote<int(int)>("halv"), 7), UnknownTask);
  const auto files = left();
  ASSERT_EQ(files.size(), 2U);
  const Ran again = replay_by_worker(files[0]);
  EXPECT_EQ(again.exited, 1);
  EXPECT_TRUE(contains(again.text, "halve threw:") &&
              contains(again.text, "std::invalid_argument: 7 is odd\n"))
      << again.text;
  const Ran unknown = replay_by_worker(files[1]);
  EXPECT_EQ(unknown.exited, 1);
  EXPECT_TRUE(contains(unknown.text, "Did you mean \"halve\"?")) << unknown.text;
  EXPECT_TRUE(contains(describe(files[0]).text, PROCPOOL_CAPSULE_MODULE));
}

bool is_told(const Ran& ran, std::string_view what) {
  EXPECT_EQ(ran.exited, 2) << ran.text;
  return contains(ran.text, what);
}

TEST_F(LeavesCapsules, what_is_no_capsule_is_refused) {
  EXPECT_TRUE(is_told(replay(file("none")), "No such file"));
  std::ofstream(file("text")) << "this is a text, and not a capsule";
  EXPECT_TRUE(is_told(replay(file("text")), "this is no capsule"));
  EXPECT_TRUE(is_told(describe(file("text")), "this is no capsule"));
  EXPECT_TRUE(is_told(replay_by_worker(file("text")), "this is no capsule"));
  EXPECT_TRUE(is_told(replay(path("")), "wants one FILE"));
  EXPECT_TRUE(is_told(replay_by_worker(path("")), "wants a FILE"));
}

}  // namespace
}  // namespace procpool::test
