// gather, wait, as_completed and calls that wait for others, of several pools and threads.
#include <algorithm>
#include <random>
#include <thread>

#include "futures/numbers.hpp"
#include "support/census.hpp"

namespace procpool::test {
namespace {

class Gathered : public Census {};
class Completed : public Census {};
class Dependent : public Census {};

std::vector<Future<Number>> numbers(FakePool& one, FakePool& other, Number count) {
  std::vector<Future<Number>> all;
  for (Number i = 0; i != count; ++i) all.push_back(submit(i % 2 == 0 ? one : other, i));
  return all;
}

TEST_F(Gathered, ManyThreadsWaitForTheSame) {
  FakePool one(2), other(2);
  one.started();
  other.started();
  for (int round = 0; round != 30; ++round) {
    const auto whole = gather(numbers(one, other, 20));
    std::atomic<int> called = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i != 4; ++i) {
      threads.emplace_back([&] {
        whole.on_done([&](auto&) { ++called; });
        EXPECT_EQ(whole.get()[7], 7u);
      });
    }
    for (auto& each : threads) each.join();
    EXPECT_TRUE(comes_true([&] { return called == 4; }));
  }
}

TEST_F(Gathered, CancelRacesWithTheEnd) {
  FakePool one(2), other(2);
  one.started();
  other.started();
  int cancelled = 0;
  for (int round = 0; round != 100; ++round) {
    const auto whole = gather(numbers(one, other, 10));
    std::atomic<bool> won = false;
    std::thread cancelling([&] { won = whole.cancel(); });
    whole.wait();
    cancelling.join();
    EXPECT_EQ(whole.cancelled(), won);
    cancelled += won;
    if (!won) {
      EXPECT_EQ(whole.get().size(), 10u);
    }
  }
  RecordProperty("cancelled", cancelled);
}

TEST_F(Gathered, IsNotEndedTwiceAndLeavesNothing) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto first = submit(pool, 0), second = submit(pool, 1);
  const auto whole = gather(first, second);
  EXPECT_TRUE(whole.cancel());
  EXPECT_FALSE(whole.cancel());
  EXPECT_TRUE(first.cancelled());
  gate.open();
  pool.abandon();
  EXPECT_TRUE(whole.cancelled());
}

TEST_F(Completed, EachOnceWhateverItsPool) {
  FakePool one(2), other(2);
  one.started();
  other.started();
  for (int round = 0; round != 20; ++round) {
    std::vector<Number> seen;
    for (auto& each : as_completed(numbers(one, other, 50))) seen.push_back(each.get());
    std::ranges::sort(seen);
    ASSERT_EQ(seen.size(), 50u);
    for (Number i = 0; i != 50; ++i) EXPECT_EQ(seen[i], i);
  }
}

TEST_F(Completed, AConsumerThatLeavesEarlyIsForgotten) {
  FakePool one(1), other(1);
  one.started();
  other.started();
  for (int round = 0; round != 50; ++round) {
    const auto futures = numbers(one, other, 20);
    {
      auto completed = as_completed(futures);
      EXPECT_TRUE(completed.begin()->ready());
      auto same_pool = as_completed({futures[0], futures[2], futures[4]});
      EXPECT_TRUE(same_pool.begin()->ready());
    }
    EXPECT_FALSE(wait(futures, ReturnWhen::first_completed).done.empty());
    EXPECT_TRUE(wait(futures).not_done.empty());
  }
}

TEST_F(Dependent, RunsAfterWhatItWaitsFor) {
  std::atomic<bool> first_ran = false;
  Gate gate;
  FakePool one(1, {.run = [&](const Element& e) {
                     gate.pass(e.killed);
                     first_ran = true;
                     return Act::value;
                   }});
  FakePool other(1, {.run = [&](const Element&) {
                       EXPECT_TRUE(first_ran);
                       return Act::value;
                     }});
  one.started();
  other.started();
  const auto first = submit(one, 1);
  const auto second = submit_after(other, 2, {first, first});
  const auto third = submit_after(other, 3, {second, first}, 100'000);
  gate.open();
  EXPECT_EQ(third.get(), 3u);
  EXPECT_EQ(second.get(), 2u);
}

TEST_F(Dependent, AChainOfAnyLengthNeedsNoStack) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  auto last = submit(pool, 0);
  for (Number i = 1; i != 3000; ++i) last = submit_after(pool, i, {last});
  EXPECT_FALSE(last.ready());
  gate.open();
  EXPECT_EQ(last.get(), 2999u);
}

TEST_F(Dependent, ErrorsGoDownAChainOfAnyLength) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto first = submit(pool, 0);
  auto last = first;
  for (Number i = 1; i != 50'000; ++i) last = submit_after(pool, i, {last});
  EXPECT_TRUE(first.cancel());
  EXPECT_THROW(last.get(), Cancelled);
  gate.open();
}

// Its payload is written while it is cancelled, looked at and called back for.
TEST_F(Dependent, CancelAndCallbacksRaceWithItsBytes) {
  FakePool pool(2);
  pool.started();
  std::mt19937 random(7);
  for (int round = 0; round != 100; ++round) {
    const auto first = submit(pool, 1);
    const auto second = submit_after(pool, 2, {first}, round % 2 == 0 ? 20'000 : 10);
    std::atomic<int> called = 0;
    std::thread meddler([&] {
      second.on_done([&](Future<Number>&) { ++called; });
      if (random() % 2 == 0) second.cancel();
    });
    second.wait();
    meddler.join();
    EXPECT_TRUE(comes_true([&] { return called == 1; }));
    if (!second.cancelled()) {
      EXPECT_EQ(second.get(), 2u);
    }
  }
}

TEST_F(Dependent, IsEndedByItsPool) {
  Gate gate;
  FakePool one(1, {.run = [&](const Element& e) {
                     gate.pass(e.killed);
                     return Act::value;
                   }});
  FakePool other(1);
  one.started();
  other.started();
  const auto first = submit(one, 1);
  const auto second = submit_after(other, 2, {first}, 50'000);
  other.core().terminate();
  EXPECT_THROW(second.get(), PoolTerminated);
  EXPECT_THROW(submit_after(other, 3, {first}), PoolTerminated);
  gate.open();
  EXPECT_EQ(first.get(), 1u);
}

}  // namespace
}  // namespace procpool::test
