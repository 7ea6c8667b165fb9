// Handles of shared state as arguments of a Process.
#include <procpool/shared.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conformance/process.hpp"

namespace procpool::test {
namespace {

constexpr auto patience = 20s;

using Array = SharedArray<int>;
using View = SharedArray<const int>;

int sum(std::span<const int> numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0); }

TEST_P(P_PROC_01, P_SYNC_01_queues_feed_a_process) {
  Queue<int> in;
  Queue<std::string> out;
  Process process = started(
      [](Queue<int> from, Queue<std::string> to) {
        for (int n = from.get(); n >= 0; n = from.get()) to.put(std::to_string(n * n));
      },
      in, out);
  for (const int n : {1, 2, 3, -1}) in.put(n);
  EXPECT_EQ(out.get_for(patience), "1");
  EXPECT_EQ(out.get_for(patience), "4");
  EXPECT_EQ(out.get_for(patience), "9");
  EXPECT_EQ(end_of(process), 0);
}

struct Adder {
  Array array;
  void operator()(const View& numbers, std::span<const int> more) const {
    array[1] = array[0] + sum(numbers) + sum(more);
  }
};
TEST_P(P_PROC_01, P_SYNC_01_what_it_writes_into_an_array_is_read_at_home) {
  Array array(2), numbers(100);
  array[0] = 1000;
  std::iota(numbers.begin(), numbers.end(), 1);
  Process process = started(Adder{array}, numbers, numbers);
  EXPECT_EQ(end_of(process), 0);
  EXPECT_EQ(array[1], 1000 + 2 * 5050);
}

TEST_P(P_PROC_01, P_JOB_03_it_cannot_write_through_a_read_only_handle) {
  const Array array(1);
  Process process = started([](const View& view) { const_cast<int&>(view[0]) = 1; }, View(array));
  EXPECT_EQ(end_of(process), -SIGSEGV);
  EXPECT_EQ(array[0], 0);
}

TEST_P(P_PROC_01, P_SYNC_01_a_lock_tells_that_the_process_which_held_it_was_killed) {
  Lock lock;
  const Event held;
  Process process = started(
      [](Lock mine, Event event) {
        mine.lock();
        event.set();
        for (;;) pause();
      },
      lock, held);
  ASSERT_TRUE(held.wait_for(patience));
  EXPECT_FALSE(lock.try_lock());
  process.kill();
  EXPECT_EQ(end_of(process), -SIGKILL);
  EXPECT_THROW(lock.try_lock_for(patience), OwnerDied);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// Home has let go of everything before the child can have looked.
TEST_P(P_PROC_01, P_SYNC_01_the_state_lives_until_the_child_has_it) {
  Queue<int> out;
  std::optional<Queue<int>> in(std::in_place);
  in->put(7);
  std::optional<Process> process(
      make([](Queue<int> from, Queue<int> to) { to.put(from.get()); }, *in, out));
  in.reset();
  process->start();
  EXPECT_EQ(out.get_for(patience), 7);
  EXPECT_EQ(end_of(*process), 0);
  { const Process never_started = make(sum, Array(3)); }
}

TEST_P(P_PROC_01, P_SYNC_01_an_end_of_a_pipe_that_it_closes_is_gone) {
  auto [here, there] = Pipe<int>();
  Gate gate(file("gate"));
  Process process = started(
      [](PipeEnd<int> end, const std::string& path) {
        end.send(end.recv() + 1);
        end.close();
        pass_gate(path);
      },
      there, gate.path());
  there.close();
  here.send(1);
  EXPECT_EQ(here.recv_for(patience), 2);
  // A fork has the copies that home had.
  if (method() == StartMethod::fork) gate.open();
  EXPECT_THROW(here.recv_for(patience), QueueClosed);
  gate.open();
  EXPECT_EQ(end_of(process), 0);
}

int total(const std::vector<Array>& arrays) {
  int n = 0;
  for (const Array& array : arrays) n += array[0];
  return n;
}
void write_total(const std::vector<Array>& arrays, Array result) { result[0] = total(arrays); }
std::vector<Array> numbered_arrays(int count) {
  std::vector<Array> arrays;
  for (int i = 0; i != count; ++i) {
    arrays.emplace_back(std::size_t{1});
    arrays.back()[0] = i;
  }
  return arrays;
}

TEST_P(P_PROC_01, P_SYNC_01_more_handles_than_a_message_holds) {
  const Array result(1);
  Process process = started(write_total, numbered_arrays(600), result);
  EXPECT_EQ(end_of(process), 0);
  EXPECT_EQ(result[0], 599 * 600 / 2);
}
TEST_P(P_PROC_01, P_SYNC_01_one_handle_many_times) {
  const Array one(1), result(1);
  one[0] = 2;
  Process process = started(write_total, std::vector<Array>(10'000, one), result);
  EXPECT_EQ(end_of(process), 0);
  EXPECT_EQ(result[0], 20'000);
}

// The child has this limit, too. Those of home have high numbers already.
TEST_P(P_PROC_01, P_SYNC_01_a_child_without_descriptors_for_all_handles_says_so) {
  if (method() != StartMethod::spawn) GTEST_SKIP() << "it has home's, or its template's limit";
  const std::vector<Array> arrays = numbered_arrays(300);
  const Array result(1);
  Process process = make(write_total, arrays, result);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit low{100, before.rlim_max};
  testing::internal::CaptureStderr();
  setrlimit(RLIMIT_NOFILE, &low);
  process.start();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(end_of(process), 1);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(contains(text,
                       "DecodingError: a shared handle did not arrive: this process has no "
                       "free descriptors"))
      << text;
}

// From task to Process to pool.
void count_in_a_pool(int method, const SharedValue<int>& count) {
  const auto add = [](SharedValue<int> to) { to.update([](int old) { return old + 1; }); };
  const Pool pool({.processes = 1, .start_method = static_cast<StartMethod>(method)});
  for (int i = 0; i != 3; ++i) pool.apply(add, count);
}
int count_in_a_process(int method, const SharedValue<int>& count) {
  Process process({.start_method = static_cast<StartMethod>(method)}, count_in_a_pool, method,
                  count);
  process.start();
  return end_of(process);
}
TEST_P(P_PROC_01, P_SYNC_01_a_handle_is_handed_on) {
  const SharedValue<int> count(10);
  EXPECT_EQ(make_pool(1).apply(count_in_a_process, static_cast<int>(method()), count), 0);
  EXPECT_EQ(count.load(), 13);
}

}  // namespace
}  // namespace procpool::test
