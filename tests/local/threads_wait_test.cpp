// Tasks of a pool of threads that wait for others of its tasks.
#include <gtest/gtest.h>
#include <procpool/procpool.hpp>

#include <functional>
#include <tuple>
#include <vector>

#include "local/rooms.hpp"
#include "support/census.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

class ThreadsWait : public Census {};

const ThreadPool* outer = nullptr;
int twice(int x) { return 2 * x; }
int sum_by_tasks(int depth) {
  if (depth == 0) return 1;
  const auto left = outer->submit(sum_by_tasks, depth - 1);
  const auto right = outer->submit(sum_by_tasks, depth - 1);
  return left.get() + right.get();
}
int sum_by_map(int n) {
  int sum = 0;
  for (const int x : outer->map(twice, std::vector<int>(static_cast<std::size_t>(n), 1))) sum += x;
  return sum;
}
int sum_by_chain(int n) {
  auto last = outer->submit(twice, 1);
  for (int i = 1; i != n; ++i) last = outer->submit(std::plus<int>(), last, 1);
  return last.get();
}
int sum_as_completed(int n) {
  std::vector<Future<int>> all;
  for (int i = 0; i != n; ++i) all.push_back(outer->submit(twice, 1));
  int sum = 0;
  for (const auto& each : as_completed(all)) sum += each.get();
  return sum;
}

TEST_F(ThreadsWait, P_MISUSE_a_task_that_waits_for_its_own_pool_runs_what_it_waits_for) {
  for (const int threads : {1, 2}) {
    const ThreadPool pool(threads);
    outer = &pool;
    EXPECT_EQ(pool.apply(sum_by_tasks, 8), 256);
    EXPECT_EQ(pool.apply(sum_by_map, 1000), 2000);
    EXPECT_EQ(pool.apply(sum_by_chain, 100), 101);
    EXPECT_EQ(pool.apply(sum_as_completed, 50), 100);
    EXPECT_EQ(pool.map(sum_by_tasks, std::vector<int>(20, 3)), std::vector<int>(20, 8));
  }
}

int sum_of(std::tuple<int, int> two) { return std::get<0>(two) + std::get<1>(two); }
// Each future that is waited for is of a keeper of its own, and the only thread is here.
std::vector<Future<std::tuple<int, int>>> three_gathers() {
  std::vector<Future<std::tuple<int, int>>> all;
  for (int i = 0; i != 3; ++i) {
    all.push_back(gather(outer->submit(twice, i), outer->submit(twice, 10 * i)));
  }
  return all;
}
int sum_gathers_as_completed() {
  int sum = 0;
  for (const auto& each : as_completed(three_gathers())) sum += sum_of(each.get());
  return sum;
}
int sum_gathers_waited_for() {
  const auto all = three_gathers();
  int sum = static_cast<int>(wait(all, ReturnWhen::first_completed).done.size());
  const auto [done, not_done] = wait(all);
  for (const auto& each : done) sum += 100 * sum_of(each.get());
  return sum;
}

TEST_F(ThreadsWait, P_FUT_08_gathered_futures_of_its_own_pool_are_run_too) {
  const ThreadPool pool(1);
  outer = &pool;
  EXPECT_EQ(pool.apply(sum_gathers_as_completed), 66);
  const int sum = pool.apply(sum_gathers_waited_for);
  EXPECT_EQ(sum / 100, 66);
  EXPECT_GE(sum % 100, 1);
}

// What is asked for is the first to end, whatever its place and its pool.
TEST_F(ThreadsWait, P_FUT_06_in_a_task_futures_of_other_pools_come_as_they_end) {
  static const ThreadPool *slow, *quick;
  Room& room = fresh_room();
  const ThreadPool pool(1), second(1), third(1);
  slow = &second;
  quick = &third;
  EXPECT_EQ(pool.apply([] {
    const std::vector all{slow->submit([] { return wait_until_left(), 1; }), quick->submit(twice, 1)};
    const auto first = wait(all, ReturnWhen::first_completed);
    int order = first.done.size() == 1 && first.done.front() == all[1] ? 1 : 0;
    for (const auto& each : as_completed(all)) {
      order = 10 * order + each.get();
      this_room().open = true;  // for the slow one
    }
    return order;
  }),
            121);
  EXPECT_TRUE(room.open);
}

// The only thread waits, and what it waits for comes to be able to run while it sleeps.
TEST_F(ThreadsWait, P_FUT_09_a_task_that_sleeps_is_told_of_what_it_can_run) {
  static const ThreadPool* other;
  Room& room = fresh_room();
  const ThreadPool pool(1), second(1);
  outer = &pool;
  other = &second;
  const auto sum = pool.submit([] {
    const auto slow = other->submit([] { return wait_until_left(), 20; });
    const auto between = outer->submit(std::plus<int>(), slow, 1);
    const auto last = outer->submit(std::plus<int>(), between, 1);
    enter_room();
    return last.get();
  });
  ASSERT_TRUE(wait_for(1));
  room.open = true;
  EXPECT_EQ(sum.get(), 22);
}

TEST_F(ThreadsWait, P_POOL_07_join_in_a_task_is_misuse) {
  ThreadPool pool(1);
  static ThreadPool* self;
  self = &pool;
  EXPECT_THROW(pool.apply([] {
    self->close();
    self->join();
  }),
               Misuse);
  pool.join();
}

}  // namespace
}  // namespace procpool::test
