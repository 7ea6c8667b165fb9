// Which goes first, and what comes back from hands for it.
#include <algorithm>
#include <mutex>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

// Worker 0 holds the task 0 until the gate opens; the order in which the others ran is kept.
struct Ordered {
  explicit Ordered(int processes = 1)
      : pool(processes, {.run = [this](const Element& e) {
          if (e.id < 10) {
            ++held;
            gate.pass(e.killed);
            return Act::value;
          }
          const std::lock_guard lock(mutex);
          order.push_back(e.id);
          return Act::value;
        }}) {
    pool.started();
  }
  // One task of less than 10 in each worker's hand.
  void hold(std::uint64_t workers) {
    for (std::uint64_t i = 0; i != workers; ++i) {
      calls.push_back(pool.submit(i));
      EXPECT_TRUE(comes_true([&] { return held == static_cast<int>(i) + 1; }));
    }
  }
  void submit(std::uint64_t id, int priority) {
    calls.push_back(pool.submit(id, TaskOptions{.priority = priority}));
  }
  std::vector<std::uint64_t> finish() {
    gate.open();
    for (const auto& call : calls) wait(*call);
    const std::lock_guard lock(mutex);
    return order;
  }

  Gate gate;
  std::atomic<int> held = 0;
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  FakePool pool;
  std::vector<Ref<Call>> calls;
};

TEST(Priorities, HigherGoesFirstAndEqualsInOrder) {
  Ordered run;
  run.hold(1);
  for (std::uint64_t id = 10; id != 13; ++id) run.submit(id, 0);
  for (std::uint64_t id = 20; id != 23; ++id) run.submit(id, -5);
  for (std::uint64_t id = 30; id != 33; ++id) run.submit(id, 7);
  for (std::uint64_t id = 40; id != 43; ++id) run.submit(id, 0);
  EXPECT_EQ(run.finish(), (std::vector<std::uint64_t>{30, 31, 32, 10, 11, 12, 40, 41, 42, 20, 21, 22}));
}

// The less urgent lies in the hand already when something of priority 0 comes.
TEST(Priorities, AnOrdinaryTaskOvertakesOneThatWaitsInAHand) {
  Ordered run;
  run.hold(1);
  run.submit(20, -1);
  run.submit(10, 0);
  EXPECT_EQ(run.finish(), (std::vector<std::uint64_t>{10, 20}));
}

// It must not wait in the hand of one worker while another starts something less urgent.
TEST(Priorities, TheMostUrgentGoesToWhoeverIsFreeFirst) {
  Gate first, second;
  std::atomic<int> held = 0;
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id < 2) {
                        ++held;
                        (e.worker == 0 ? first : second).pass(e.killed);
                      } else {
                        const std::lock_guard lock(mutex);
                        order.push_back(e.id);
                      }
                      return Act::value;
                    }});
  pool.started();
  std::vector<Ref<Call>> calls{pool.submit(0), pool.submit(1)};
  EXPECT_TRUE(comes_true([&] { return held == 2; }));
  for (std::uint64_t id = 10; id != 14; ++id) calls.push_back(pool.submit(id));
  for (std::uint64_t id = 20; id != 22; ++id) {
    calls.push_back(pool.submit(id, TaskOptions{.priority = 1}));
  }
  second.open();  // one worker is free, the other stays where it is
  for (std::size_t i = 2; i != calls.size(); ++i) wait(*calls[i]);
  first.open();
  const std::lock_guard lock(mutex);
  ASSERT_EQ(order.size(), 6u);
  EXPECT_EQ(order[0], 20u);
  EXPECT_EQ(order[1], 21u);
}

TEST(Priorities, TheRestOfAChunkMakesWayToo) {
  Gate gate;
  std::atomic<bool> held = false;
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) {
                        held = true;
                        gate.pass(e.killed);
                      }
                      const std::lock_guard lock(mutex);
                      order.push_back(e.id);
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 5, 5);
  EXPECT_TRUE(comes_true([&] { return held.load(); }));
  const auto urgent = pool.submit(100, TaskOptions{.priority = 1});
  gate.open();
  EXPECT_EQ(value(*urgent), 100u);
  EXPECT_EQ(values(*batch), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(order, (std::vector<std::uint64_t>{0, 100, 1, 2, 3, 4}));
}

TEST(Priorities, WhatComesBackFromSeveralHandsKeepsItsOrder) {
  Ordered run(3);
  run.hold(3);
  for (std::uint64_t id = 10; id != 30; ++id) run.calls.push_back(run.pool.submit(id));
  run.submit(100, 1);
  // Back in the queue: one worker at a time takes them from here on.
  run.pool.core().resize(1);
  EXPECT_EQ(run.finish().front(), 100u);
  std::vector<std::uint64_t> others(run.order.begin() + 1, run.order.end());
  EXPECT_TRUE(std::ranges::is_sorted(others));
}

}  // namespace
}  // namespace procpool::test
