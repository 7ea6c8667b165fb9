// What runs before the first task: initializer, preload, the caps on inner threads.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

int initialised = 0;
int preloaded = 0;

void initialise(const std::string& marks, int value) {
  add_mark(marks);
  initialised = value;
}
void preload(const std::string& marks) {
  add_mark(marks);
  ++preloaded;
}

TEST_P(Conformance, P_INIT_01_once_in_each_worker_before_its_first_task) {
  const Pool pool = make_pool({.processes = 3, .initializer = partial(initialise, file("i"), 7)});
  EXPECT_EQ(count_marks(file("i")), 3U);
  for (const int seen : pool.map([](int) { return initialised; }, first_numbers(100))) {
    EXPECT_EQ(seen, 7);
  }
  EXPECT_EQ(count_marks(file("i")), 3U);
  EXPECT_EQ(initialised, 0);
  EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  EXPECT_EQ(pool.pids().size(), 3U);
  EXPECT_EQ(count_marks(file("i")), 4U);
  for (const int seen : pool.map([](int) { return initialised; }, first_numbers(100))) {
    EXPECT_EQ(seen, 7);
  }
}

TEST_P(Conformance, P_INIT_01_preload_runs_once_for_all_workers_and_before_them) {
  const Pool pool = make_pool({.processes = 2, .preload = partial(preload, file("p"))});
  const bool has_template = method() != StartMethod::spawn;
  EXPECT_EQ(count_marks(file("p")), has_template ? 1U : 2U);
  for (const int seen : pool.map([](int) { return preloaded; }, first_numbers(20))) {
    EXPECT_EQ(seen, 1);
  }
  EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  EXPECT_EQ(pool.apply([] { return preloaded; }), 1);
  EXPECT_EQ(pool.pids().size(), 2U);
  EXPECT_EQ(count_marks(file("p")), has_template ? 1U : 3U);
  EXPECT_EQ(preloaded, 0);
}

[[noreturn]] void throw_it() { throw std::out_of_range("no such table"); }
void exit_7() { _exit(7); }
void abort_it() { std::abort(); }

// The nested exception says what the initializer threw.
template <class E>
void expect_cause(const std::function<void()>& call, const char* text) {
  try {
    call();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const PoolBroken& broken) {
    EXPECT_TRUE(contains(broken.what(), text)) << broken.what();
    EXPECT_THROW(std::rethrow_if_nested(broken), E);
  }
}

TEST_P(Conformance, P_INIT_02_one_that_throws_breaks_the_pool_with_its_own_error) {
  expect_cause<std::out_of_range>(
      [&] { (void)make_pool({.processes = 2, .initializer = throw_it}); }, "no such table");
  const auto text = error_of<PoolBroken>(
      [&] { (void)make_pool({.processes = 2, .initializer = exit_7}); });
  EXPECT_TRUE(contains(text, "exited with code 7")) << text;
  EXPECT_TRUE(contains(error_of<PoolBroken>([&] {
                         (void)make_pool({.processes = 2, .initializer = abort_it});
                       }),
                       "SIGABRT"));
}

TEST_P(Conformance, P_INIT_02_a_preload_that_fails_breaks_the_pool_too) {
  expect_cause<std::out_of_range>([&] { (void)make_pool({.processes = 2, .preload = throw_it}); },
                                  "no such table");
  EXPECT_THROW((void)make_pool({.processes = 2, .preload = exit_7}), PoolBroken);
  EXPECT_THROW((void)make_pool({.processes = 2, .preload = abort_it}), PoolBroken);
}

void fine_at_first(const std::string& marks) {
  add_mark(marks);
  if (count_marks(marks) > 1) throw_it();
}

TEST_P(Conformance, P_INIT_02_replacements_that_fail_break_the_pool_after_as_many_as_allowed) {
  Pool pool = make_pool({.processes = 1,
                         .initializer = partial(fine_at_first, file("marks")),
                         .max_start_failures = 3});
  const auto crashed = pool.submit(crash);
  const auto queued = pool.submit(square, 1);
  EXPECT_THROW(crashed.get(), WorkerCrashed);
  expect_cause<std::out_of_range>([&] { queued.get(); }, "no such table");
  EXPECT_THROW(pool.submit(square, 1), PoolBroken);
  EXPECT_EQ(count_marks(file("marks")), 4U);
  pool.close();
  pool.join();
}

void fails_twice(const std::string& marks) {
  add_mark(marks);
  const std::size_t count = count_marks(marks);
  if (count == 2 || count == 3) crash();
}

TEST_P(Conformance, P_INIT_02_a_start_that_succeeds_at_last_is_forgiven) {
  const Pool pool = make_pool({.processes = 1,
                               .initializer = partial(fails_twice, file("marks")),
                               .max_start_failures = 3});
  EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(count_marks(file("marks")), 4U);
}

// What is queued while an initializer hangs does not hang with terminate.
void hang_later(const std::string& marks, const std::string& gate) {
  add_mark(marks);
  if (count_marks(marks) > 1) pass_gate(gate);
}

TEST_P(Conformance, P_INIT_02_terminate_ends_a_worker_in_its_initializer) {
  Gate gate(file("gate"));
  Pool pool = make_pool(
      {.processes = 1, .initializer = partial(hang_later, file("marks"), gate.path())});
  EXPECT_THROW(pool.apply(crash), WorkerCrashed);
  const auto queued = pool.submit(square, 1);
  EXPECT_TRUE(comes_true([&] { return count_marks(file("marks")) == 2; }));
  pool.terminate();
  pool.join();
  EXPECT_THROW(queued.get(), PoolTerminated);
}

std::string variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

TEST_P(Conformance, P_JOB_01_inner_threads_are_capped) {
  const std::vector<std::string> names{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                       "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                                       "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"};
  for (const auto& name : names) ASSERT_EQ(variable(name), "") << "the test needs it unset";
  const auto seen = [&](int threads) {
    return make_pool({.processes = 1, .inner_threads = threads}).map(variable, names);
  };
  EXPECT_EQ(seen(3), std::vector<std::string>(6, "3"));
  EXPECT_EQ(seen(0), std::vector<std::string>(6, std::to_string(usable_cpus())));
  EXPECT_EQ(seen(-1), std::vector<std::string>(6, ""));
  ASSERT_EQ(setenv("OMP_NUM_THREADS", "17", 1), 0);
  EXPECT_EQ(seen(3).front(), "17");
  unsetenv("OMP_NUM_THREADS");
  EXPECT_EQ(make_pool({.processes = usable_cpus() * 4}).apply(variable, names[0]), "1");
}

TEST_P(Conformance, P_POOL_01_options_out_of_range_are_misuse) {
  const auto text = [&](PoolOptions options) {
    return error_of<Misuse>([&] { (void)make_pool(std::move(options)); });
  };
  EXPECT_TRUE(contains(text({.idle_timeout = 999us}), "PoolOptions::idle_timeout"));
  EXPECT_TRUE(contains(text({.max_start_failures = 0}), "PoolOptions::max_start_failures"));
  EXPECT_TRUE(contains(text({.processes = 0}), "Number of processes must be at least 1"));
  EXPECT_TRUE(contains(text({.processes = 4097}), "4096"));
}

}  // namespace
}  // namespace procpool::test
