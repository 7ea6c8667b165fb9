// Calls and maps: what is handed out, taken back and split.
#include "fake_pool.hpp"

namespace procpool::test {
namespace {

TEST(Calls, EachReturnsItsOwn) {
  FakePool pool(3);
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 1000; ++id) calls.push_back(pool.submit(id));
  for (std::uint64_t id = 0; id != 1000; ++id) EXPECT_EQ(value(*calls[id]), id);
}

TEST(Calls, AWaitThatEndsEarlyLeavesTheTaskAlone) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto call = pool.submit(7);
  EXPECT_FALSE(call->core->wait(*call, Clock::now() + 1ms));
  gate.open();
  EXPECT_EQ(value(*call), 7u);
}

TEST(Calls, ACallbackComesWithoutAnybodyWaiting) {
  FakePool pool(1);
  pool.started();
  std::atomic<int> called = 0;
  auto call = Ref<Call>::adopt(new Call(1));
  pool.core().on_done(*call, [&] { ++called; });
  pool.core().submit(*call, detail::Admission::wait);
  EXPECT_TRUE(comes_true([&] { return called == 1; }));
  pool.core().on_done(*call, [&] { ++called; });  // it is done: here and now
  EXPECT_EQ(called, 2);
}

TEST(Calls, WhatWaitsBehindALongTaskIsTakenBackForAnIdleWorker) {
  Gate gate;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 40; ++id) calls.push_back(pool.submit(id));
  for (std::uint64_t id = 1; id != 40; ++id) EXPECT_EQ(value(*calls[id]), id);
  EXPECT_FALSE(calls[0]->done());
  gate.open();
  EXPECT_EQ(value(*calls[0]), 0u);
}

TEST(Calls, SlotsThatWereTakenBackAreUsedAgain) {
  for (int round = 0; round != 5; ++round) {
    Gate gate;
    FakePool pool(2, {.run = [&](const Element& e) {
                        if (e.id == 0) gate.pass(e.killed);
                        return Act::value;
                      }});
    pool.started();
    std::vector<Ref<Call>> calls;
    for (std::uint64_t id = 0; id != 500; ++id) calls.push_back(pool.submit(id));
    wait(*calls.back());
    gate.open();
    for (std::uint64_t id = 0; id != 500; ++id) EXPECT_EQ(value(*calls[id]), id);
  }
}

std::vector<std::int64_t> sequence(std::int64_t first, std::uint32_t count) {
  std::vector<std::int64_t> all(count);
  for (auto& each : all) each = first++;
  return all;
}

TEST(Maps, EveryElementComesBackInItsPlace) {
  FakePool pool(2);
  pool.started();
  for (const std::uint32_t chunk : {1u, 7u, 100u, 5000u}) {
    EXPECT_EQ(values(*pool.map(3, 1000, chunk)), sequence(3, 1000)) << chunk;
  }
  EXPECT_TRUE(values(*pool.map(3, 0, 1)).empty());
}

TEST(Maps, ALoneChunkIsSplitForAnIdleWorker) {
  std::atomic<int> by_worker[2] = {0, 0};
  FakePool pool(2, {.run = [&](const Element& e) {
                      ++by_worker[e.worker];
                      // Whoever has the first element keeps it until another works, too.
                      if (e.id == 0) {
                        EXPECT_TRUE(comes_true(
                            [&] { return by_worker[0] != 0 && by_worker[1] != 0; }));
                      }
                      return Act::value;
                    }});
  pool.started();
  EXPECT_EQ(values(*pool.map(0, 600, 600)), sequence(0, 600));
  EXPECT_EQ(by_worker[0] + by_worker[1], 600);
}

TEST(Maps, TheLastElementDoesNotWaitBehindALongOne) {
  Gate gate;
  std::atomic<bool> last_ran = false;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      if (e.id == 1) last_ran = true;
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 2, 2);
  EXPECT_TRUE(comes_true([&] { return last_ran.load(); }));
  EXPECT_FALSE(batch->done());
  gate.open();
  EXPECT_EQ(values(*batch), sequence(0, 2));
}

// A part that needs memory of its own must not wait until something else happens.
TEST(Maps, ALargeTailIsHandedOverWhileTheRestRuns) {
  Gate gate;
  std::atomic<int> others = 0;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 0) {
                        gate.pass(e.killed);
                      } else {
                        ++others;
                      }
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 4000, 4000);  // 32,000 bytes, halved: still above an arena's limit
  EXPECT_TRUE(comes_true([&] { return others > 1000; }));
  gate.open();
  EXPECT_EQ(values(*batch), sequence(0, 4000));
}

TEST(Maps, OneDeathCostsOneElement) {
  FakePool pool(2, {.run = [](const Element& e) {
    return e.id == 50 ? Act::die : Act::value;
  }});
  pool.started();
  auto expected = sequence(0, 200);
  expected[50] = -1;
  EXPECT_EQ(values(*pool.map(0, 200, 100)), expected);
}

TEST(Maps, AnOutcomeThatWasPublishedStands) {
  FakePool pool(1, {.run = [](const Element& e) {
    return e.id % 10 == 0 && e.attempt == 1 ? Act::publish_and_die : Act::value;
  }});
  pool.started();
  EXPECT_EQ(values(*pool.map(0, 40, 40)), sequence(0, 40));
}

TEST(Maps, ADeathInAMapWithRetriesCostsNothing) {
  std::atomic<int> attempts = 0;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 5) ++attempts;
                      return e.id == 5 && e.attempt < 3 ? Act::die : Act::value;
                    }});
  pool.started();
  EXPECT_EQ(values(*pool.map(0, 20, 10, 2)), sequence(0, 20));
  EXPECT_EQ(attempts, 3);
}

TEST(Maps, ADiscardedMapEndsWithoutItsWaitingElements) {
  Gate gate;
  std::atomic<int> ran = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      ++ran;
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 100, 50);
  EXPECT_TRUE(comes_true([&] { return ran == 1; }));
  pool.core().discard(*batch);
  gate.open();
  wait(*batch);
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace procpool::test
