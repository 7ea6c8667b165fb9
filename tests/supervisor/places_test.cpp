// Workers that come, leave and are replaced while others go on.
#include <algorithm>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

using supervisor::Settings;

TEST(Places, AResizeDownAndUpWhileAStartIsUnderWayMakesNoWorkerTooMany) {
  Gate in_launch, go_on;
  FakePool pool(1, {.before_launch = [&](int worker) {
    if (worker != 1) return;
    in_launch.open();
    go_on.pass();
  }});
  pool.started();
  pool.core().resize(3);
  in_launch.pass();
  for (int i = 0; i != 3; ++i) {
    pool.core().resize(1);
    pool.core().resize(3);
  }
  go_on.open();
  EXPECT_TRUE(comes_true([&] { return pool.core().pids().size() == 3; }));
  EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 3; }));
  for (std::uint64_t id = 0; id != 10; ++id) EXPECT_EQ(value(*pool.submit(id)), id);
  EXPECT_EQ(pool.machine().alive(), 3);
}

TEST(Places, ResizesRaceWithTheMakingOfWorkers) {
  FakePool pool(1);
  pool.started();
  for (int round = 0; round != 200; ++round) {
    pool.core().resize(6);
    for (int i = 0; i != round; ++i) std::this_thread::yield();
    pool.core().resize(1);
  }
  EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 1; }));
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  EXPECT_EQ(pool.machine().alive(), 1);
}

TEST(Places, NothingIsLostWhenPlacesGo) {
  Gate gate;
  FakePool pool(4, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 200; ++id) calls.push_back(pool.submit(id));
  const auto batch = pool.map(1000, 200, 50);
  pool.core().resize(1);
  gate.open();
  for (std::uint64_t id = 0; id != 200; ++id) EXPECT_EQ(value(*calls[id]), id);
  EXPECT_EQ(std::ranges::count(values(*batch), -1), 0);
  EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 1; }));
  EXPECT_EQ(pool.core().processes(), 1);
}

TEST(Places, EachWorkerRunsItsShareAndNoMore) {
  for (const unsigned share : {1u, 2u, 7u}) {
    std::atomic<int> runs[400]{};
    FakePool pool(2, {.run = [&](const Element& e) {
                        ++runs[e.worker];
                        return Act::value;
                      }},
                  [&](Settings& s) { s.max_tasks_per_child = share; });
    pool.started();
    std::vector<Ref<Call>> calls;
    for (std::uint64_t id = 0; id != 100; ++id) calls.push_back(pool.submit(id));
    pool.core().close();  // its queue is deeper than the share
    for (std::uint64_t id = 0; id != 100; ++id) EXPECT_EQ(value(*calls[id]), id);
    EXPECT_TRUE(pool.core().join(never));
    for (const auto& count : runs) EXPECT_LE(count, static_cast<int>(share));
  }
}

TEST(Places, WhatIsTakenBackFromAWorkerIsNoneOfItsShare) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }},
                [](Settings& s) { s.max_tasks_per_child = 100; });
  pool.started();
  const auto first = pool.submit(0);
  for (int i = 0; i != 120; ++i) EXPECT_TRUE(pool.core().cancel(*pool.submit(1)));
  gate.open();
  EXPECT_EQ(value(*first), 0u);
  for (std::uint64_t id = 2; id != 40; ++id) EXPECT_EQ(value(*pool.submit(id)), id);
  EXPECT_EQ(pool.machine().launched(), 1);
}

TEST(Places, AWorkerServesUntilItsSuccessorIsWarm) {
  Gate warming, go_on;
  std::atomic<int> by_first = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.worker == 0) ++by_first;
                      return Act::value;
                    },
                    .before_launch =
                        [&](int worker) {
                          if (worker != 1) return;
                          warming.open();
                          go_on.pass();
                        }},
                [](Settings& s) { s.max_tasks_per_child = 4; });
  pool.started();
  for (std::uint64_t id = 0; id != 2; ++id) EXPECT_EQ(value(*pool.submit(id)), id);
  warming.pass();
  for (std::uint64_t id = 2; id != 4; ++id) EXPECT_EQ(value(*pool.submit(id)), id);
  EXPECT_EQ(by_first, 4);
  const auto fifth = pool.submit(4);
  EXPECT_FALSE(pool.core().wait(*fifth, Clock::now() + 5ms));
  go_on.open();
  EXPECT_EQ(value(*fifth), 4u);
  EXPECT_EQ(by_first, 4);
}

TEST(Places, ASuccessorDoesNotBeginBeforeTheOldOneHasEnded) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }},
                [](Settings& s) { s.max_tasks_per_child = 1; });
  pool.started();
  const auto last = pool.submit(0);
  const auto next = pool.submit(1);
  EXPECT_TRUE(comes_true([&] { return pool.machine().launched() == 2; }));
  EXPECT_FALSE(pool.core().wait(*next, Clock::now() + 30ms));
  gate.open();
  EXPECT_EQ(value(*last), 0u);
  EXPECT_EQ(value(*next), 1u);
}

TEST(Places, ASuccessorThatDiesIsReplacedInItsTurn) {
  FakePool pool(1, {.says_hello = [](int worker) { return worker == 0 || worker > 3; }},
                [](Settings& s) { s.max_tasks_per_child = 1; });
  pool.started();
  EXPECT_EQ(value(*pool.submit(0)), 0u);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  EXPECT_GE(pool.machine().launched(), 5);
}

// A worker that has done its share serves nobody: it is no reason to go on hoping.
TEST(Places, SuccessorsThatNeverComeBreakThePool) {
  FakePool pool(1, {.says_hello = [](int worker) { return worker == 0; }}, [](Settings& s) {
    s.max_tasks_per_child = 1;
    s.max_start_failures = 3;
  });
  pool.started();
  EXPECT_EQ(value(*pool.submit(0)), 0u);
  try {
    EXPECT_FALSE(error<PoolBroken>(*pool.submit(1)).empty());
  } catch (const PoolBroken&) {  // already
  }
  EXPECT_EQ(pool.machine().launched(), 4);
}

void wait_until_all_left(FakePool& pool) {
  EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 0; }));
}

TEST(Places, OneTaskWakesOneOfThoseThatLeft) {
  FakePool pool(4, {}, [](Settings& s) { s.idle_timeout = 5ms; });
  pool.started();
  wait_until_all_left(pool);
  EXPECT_TRUE(pool.core().pids().empty());
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  wait_until_all_left(pool);
  EXPECT_EQ(pool.machine().launched(), 5);
}

TEST(Places, AMapWakesAllThatLeft) {
  std::atomic<int> running = 0;
  FakePool pool(3, {.run = [&](const Element& e) {
                      if (e.worker < 3) return Act::value;
                      ++running;  // three at once
                      EXPECT_TRUE(comes_true([&] { return running >= 3; }));
                      return Act::value;
                    }},
                [](Settings& s) { s.idle_timeout = 5ms; });
  pool.started();
  wait_until_all_left(pool);
  EXPECT_EQ(std::ranges::count(values(*pool.map(0, 30, 0)), -1), 0);
}

TEST(Places, WhatWaitsBehindALongTaskWakesOneThatLeft) {
  Gate gate;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      return Act::value;
                    }},
                [](Settings& s) { s.idle_timeout = 5ms; });
  pool.started();
  const auto lasting = pool.submit(0);
  EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 1; }));
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  EXPECT_FALSE(lasting->done());
  gate.open();
  EXPECT_EQ(value(*lasting), 0u);
}

}  // namespace
}  // namespace procpool::test
