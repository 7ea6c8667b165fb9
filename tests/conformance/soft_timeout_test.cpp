// What runs for longer than its soft_timeout is reported with its stack, once, and goes on.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "conformance/soft_timeout.hpp"

namespace procpool::test {
namespace {

[[gnu::noinline]] int wait_in_the_dark(const std::string& gate, int value) {
  pass_gate(gate);
  return value;
}

TEST_P(Conformance, P_JOB_02_a_stuck_task_is_reported_with_its_stack_and_goes_on) {
  Pool pool = make_pool(1);
  const auto pids = pool.pids();
  Gate gate(file("gate"));
  Ear ear;
  const auto future = pool.with({.name = "the slow one", .soft_timeout = 50ms})
                          .submit(wait_in_the_dark, gate.path(), 7);
  future.on_progress(ear.listener());
  const std::string text = told_of(ear);
  EXPECT_SAYS(text, "the slow one (attempt 1) has run for longer than its soft_timeout of 0.05");
  EXPECT_SAYS(text, "worker " + std::to_string(pids.front()));
  if (has_stacks) {
    EXPECT_SAYS(text, "wait_in_the_dark");
  }
  EXPECT_FALSE(contains(text, "worker::Invoke")) << text;
  EXPECT_FALSE(future.ready());
  gate.open();
  EXPECT_EQ(future.get(), 7);
  EXPECT_EQ(pool.apply(own_pid), pids.front());
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 1U);
}

// Allocates all the time, so that the signal comes while it holds a lock of malloc.
[[gnu::noinline]] int allocate_until(const std::string& mark, int x) {
  while (count_marks(mark + std::to_string(x)) == 0) {
    for (std::size_t size = 1; size < 20'000; size += 1000) std::vector<char>(size).front() = 1;
  }
  return x;
}
int allocate_if_odd(const std::string& mark, int x) {
  return x % 2 == 0 ? x : allocate_until(mark, x);
}

TEST_P(Conformance, P_JOB_02_in_a_map_each_stuck_element_is_reported_and_no_other) {
  Pool pool = make_pool(2);
  const std::string mark = file("mark");
  Ear ear;
  const auto with = pool.with({.soft_timeout = 200ms}).with(MapOptions{.chunksize = 4});
  const auto future = with.map_async(partial(allocate_if_odd, mark), first_numbers(8));
  future.on_progress([&](const TaskUpdate& update) {  // what is reported may end
    ear.listener()(update);
    add_mark(mark + std::to_string(update.index));
  });
  EXPECT_EQ(future.get(), first_numbers(8));
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 4U);
  for (const std::size_t i : {1U, 3U, 5U, 7U}) {
    const std::string text = told_of(ear, i);
    EXPECT_SAYS(text, " for element " + std::to_string(i) + " (attempt 1)");
    if (has_stacks) {
      EXPECT_SAYS(text, "allocate_until");
    }
  }
}

int nap(int x) {
  std::this_thread::sleep_for(20ms);
  return x;
}

// Together they run for longer than one of them may.
TEST_P(Conformance, P_JOB_02_the_soft_time_is_each_tasks_own) {
  Pool pool = make_pool(1);
  const auto with = pool.with({.soft_timeout = 500ms});
  Ear ear;
  std::vector<Future<int>> calls;
  for (int i = 0; i != 20; ++i) calls.push_back(with.submit(nap, i));
  for (const auto& call : calls) call.on_progress(ear.listener());
  const auto map = with.map_async(nap, first_numbers(20), {.chunksize = 20});
  map.on_progress(ear.listener());
  for (int i = 0; i != 20; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get(), i);
  EXPECT_EQ(map.get(), first_numbers(20));
  finish(pool);
  EXPECT_TRUE(ear.heard().empty()) << ear.heard().front().log;
}

int wait_and_fail_once(const std::string& gates) {
  const unsigned attempt = this_task::attempt();
  pass_gate(gates + std::to_string(attempt));
  if (attempt == 1) throw std::logic_error("once more");
  return static_cast<int>(attempt);
}

TEST_P(Conformance, P_JOB_02_each_attempt_is_reported) {
  Pool pool = make_pool(1);
  Gate first(file("gate1"));
  Gate second(file("gate2"));
  Ear ear;
  const auto future =
      pool.with({.retries = 1, .retry_on = retry_on<std::logic_error>(), .soft_timeout = 50ms})
          .submit(wait_and_fail_once, file("gate"));
  future.on_progress(ear.listener());
  for (Gate* const gate : {&first, &second}) {
    const std::string attempt = gate == &first ? "(attempt 1)" : "(attempt 2)";
    EXPECT_TRUE(comes_true([&] {
      return ear.has([&](const TaskUpdate& update) { return contains(update.log, attempt); });
    }));
    gate->open();
  }
  EXPECT_EQ(future.get(), 2);
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 2U);
}

void hang_for_good() {
  for (;;) pause();
}

TEST_P(Conformance, P_JOB_02_a_report_comes_before_a_timeout) {
  Pool pool = make_pool(1);
  Ear ear;
  const auto future = pool.with({.timeout = 500ms, .cancel = at_once, .soft_timeout = 50ms})
                          .submit(hang_for_good);
  future.on_progress(ear.listener());
  const std::string text = told_of(ear);
  if (has_stacks) {
    EXPECT_SAYS(text, "hang_for_good");
  }
  EXPECT_THROW(future.get(), TaskTimeout);
  EXPECT_EQ(pool.apply(square, 3), 9);
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 1U);
}

TEST_P(Conformance, P_JOB_02_a_task_that_is_cancelled_in_time_is_not_reported) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  Ear ear;
  const auto with = pool.with({.soft_timeout = 1s});
  const auto unwanted = with.submit(ring_and_wait, bell.path(), gate.path(), 1);
  unwanted.on_progress(ear.listener());
  bell.wait();
  EXPECT_TRUE(unwanted.cancel());
  EXPECT_EQ(with.apply(nap, 3), 3);  // when that has been stopped
  finish(pool);
  EXPECT_TRUE(ear.heard().empty());
}

// While it lives, what this process and its children write to stderr goes to a file.
class StderrTo {
 public:
  explicit StderrTo(std::string path) : path_(std::move(path)), before_(dup(STDERR_FILENO)) {
    const int fd = open(path_.c_str(), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;
  ~StderrTo() {
    dup2(before_, STDERR_FILENO);
    close(before_);
  }
  std::string text() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  std::string path_;
  int before_;
};

TEST_P(Conformance, P_JOB_02_where_nobody_listens_a_report_is_on_stderr) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Ear late;
  std::string text;
  {
    const StderrTo log(file("log"));
    const auto future = pool.with({.soft_timeout = 50ms}).submit(wait_in_the_dark, gate.path(), 7);
    EXPECT_TRUE(comes_true([&] { return contains(log.text(), "\n"); }));
    future.on_progress(late.listener());
    gate.open();
    EXPECT_EQ(future.get(), 7);
    finish(pool);
    text = log.text();
  }
  EXPECT_TRUE(late.heard().empty());
  EXPECT_TRUE(text.starts_with("procpool: ")) << text;
  EXPECT_SAYS(text, "soft_timeout of 0.05");
  if (has_stacks) {
    EXPECT_SAYS(text, "wait_in_the_dark");
  }
}

TEST_P(Conformance, P_JOB_02_soft_times_out_of_range_are_misuse) {
  Pool pool = make_pool(1);
  const auto text = [&](TaskOptions options) {
    return error_of<Misuse>([&] { (void)pool.with(std::move(options)); });
  };
  EXPECT_SAYS(text({.soft_timeout = 0ns}), "TaskOptions::soft_timeout");
  EXPECT_SAYS(text({.soft_timeout = -1s}), "TaskOptions::soft_timeout");
  EXPECT_SAYS(text({.timeout = 2s, .soft_timeout = 2s}), "soft_timeout (2.0");
  EXPECT_SAYS(text({.timeout = 2s, .soft_timeout = 3s}), "timeout (2.0");
  if (GetParam().backend != Backend::process) return;
  EXPECT_EQ(pool.with({.timeout = 1h, .soft_timeout = 59min}).apply(square, 2), 4);
  EXPECT_EQ(pool.with({.soft_timeout = Duration::max()}).apply(square, 2), 4);
}

// Elsewhere it is refused, before anything of the task is kept.
TEST_P(Conformance, P_JOB_02_only_processes_have_soft_timeouts) {
  Pool pool = make_pool(1);
  const auto with = pool.with({.soft_timeout = 1min});
  if (GetParam().backend == Backend::process) {
    EXPECT_EQ(with.apply(square, 2), 4);
    EXPECT_EQ(with.map(square, first_numbers(3)), (std::vector{0, 1, 4}));
    return;
  }
  EXPECT_SAYS(error_of<Misuse>([&] { with.apply(square, 2); }), "Backend::process");
  EXPECT_THROW(with.map(square, first_numbers(3)), Misuse);
  EXPECT_EQ(pool.apply(square, 2), 4);
}

}  // namespace
}  // namespace procpool::test
