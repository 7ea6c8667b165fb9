// What is cancelled, discarded or too long under way.
#include <algorithm>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

using supervisor::Settings;

constexpr CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};

void hang(const Element& e) {
  while (!*e.killed) std::this_thread::yield();
}

TEST(Cancels, WhatRunsIsKilledAndWhatWaitsNeverRuns) {
  std::atomic<int> started = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0 || e.id == 2) ++started;
                      if (e.id == 0) hang(e);
                      return Act::value;
                    }});
  pool.started();
  const auto running = pool.submit(0, TaskOptions{.cancel = at_once});
  EXPECT_TRUE(comes_true([&] { return started == 1; }));
  const auto in_hand = pool.submit(1);
  const auto unwanted = pool.submit(2);
  EXPECT_TRUE(pool.core().cancel(*unwanted));
  EXPECT_TRUE(pool.core().cancel(*running));
  EXPECT_FALSE(pool.core().cancel(*running));
  EXPECT_FALSE(error<Cancelled>(*running).empty());
  EXPECT_FALSE(error<Cancelled>(*unwanted).empty());
  EXPECT_EQ(value(*in_hand), 1u);
  EXPECT_EQ(started, 1);
  EXPECT_EQ(pool.core().stats().workers_crashed, 0u);  // it was told to
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
}

// Nobody waits, nothing else happens.
TEST(Cancels, TheLadderIsClimbedToItsEnd) {
  std::atomic<bool> running = false;
  FakePool pool(1, {.run = [&](const Element& e) {
    running = true;
    hang(e);
    return Act::value;
  }});
  pool.started();
  const auto call = pool.submit(0, TaskOptions{.cancel = {.stop_grace = 5ms, .term_grace = 5ms}});
  EXPECT_TRUE(comes_true([&] { return running.load(); }));
  EXPECT_TRUE(pool.core().cancel(*call));
  EXPECT_TRUE(comes_true([&] { return pool.machine().launched() == 2; }));
}

TEST(Cancels, AMapThatIsCancelledStopsEveryWorkerThatRunsOfIt) {
  std::atomic<int> started = 0;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id >= 100) return Act::value;
                      ++started;
                      hang(e);
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 100, 10, TaskOptions{.cancel = at_once});
  EXPECT_TRUE(comes_true([&] { return started == 2; }));
  EXPECT_TRUE(pool.core().cancel(*batch));
  EXPECT_FALSE(error<Cancelled>(*batch).empty());
  EXPECT_EQ(value(*pool.submit(100)), 100u);
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(started, 2);
}

// Its bytes are being moved to a memory of their own by the background thread, or will be soon.
TEST(Cancels, ALargeChunkThatNobodyWantsAnyMoreNeverRuns) {
  std::atomic<int> ran = 0;
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id == 0) gate.pass(e.killed);
                      if (e.id >= 10) ++ran;
                      return Act::value;
                    }});
  pool.started();
  const auto blocking = pool.submit(0);
  for (int round = 0; round != 50; ++round) {
    const auto batch = pool.map(10, 4000, 4000);
    EXPECT_TRUE(pool.core().cancel(*batch));
  }
  gate.open();
  EXPECT_EQ(value(*blocking), 0u);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  EXPECT_EQ(ran, 0);
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
}

TEST(Cancels, ARequestThatCameBeforeTheTaskKeepsItFromRunning) {
  std::atomic<int> ran = 0;
  FakePool pool(2, {.run = [&](const Element&) {
                      ++ran;
                      return Act::value;
                    }});
  pool.started();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(error<Cancelled>(*pool.submit(1, TaskOptions{.stop = stop.get_token()})).empty());
  const auto batch = pool.map(0, 10, 2, TaskOptions{.stop = stop.get_token()});
  EXPECT_FALSE(error<Cancelled>(*batch).empty());
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(ran, 0);
}

TEST(Cancels, RequestsRaceWithTheEndsOfTheirTasks) {
  FakePool pool(2);
  pool.started();
  for (int round = 0; round != 300; ++round) {
    std::stop_source stop;
    std::vector<Ref<Call>> calls;
    for (std::uint64_t id = 0; id != 8; ++id) {
      calls.push_back(pool.submit(id, TaskOptions{.stop = stop.get_token(), .cancel = at_once}));
    }
    std::thread requester([&] { stop.request_stop(); });
    calls.clear();  // the last handles go while the request is being made
    requester.join();
  }
  EXPECT_EQ(value(*pool.submit(1)), 1u);
}

TEST(Shutdowns, WhatWaitsInHandsIsCancelledToo) {
  Gate gate;
  std::atomic<int> ran = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      ++ran;
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 20; ++id) calls.push_back(pool.submit(id));
  const auto batch = pool.map(100, 20, 5);
  EXPECT_TRUE(comes_true([&] { return ran == 1; }));
  pool.core().close();
  pool.core().cancel_waiting();
  for (std::size_t i = 1; i != calls.size(); ++i) EXPECT_FALSE(error<Cancelled>(*calls[i]).empty());
  EXPECT_FALSE(error<Cancelled>(*batch).empty());
  EXPECT_FALSE(calls[0]->done());
  gate.open();
  EXPECT_EQ(value(*calls[0]), 0u);
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(ran, 1);
}

// What its worker had not started would be sent on.
TEST(Shutdowns, ADeathAfterwardsSendsNothingOn) {
  Gate gate;
  std::atomic<int> ran = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      ++ran;
                      gate.pass(e.killed);
                      return Act::die;
                    }});
  pool.started();
  const auto batch = pool.map(0, 10, 10, 5);
  EXPECT_TRUE(comes_true([&] { return ran == 1; }));
  pool.core().close();
  pool.core().cancel_waiting();
  gate.open();
  EXPECT_EQ(values(*batch), std::vector<std::int64_t>(10, -1));
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(ran, 1);
}

TEST(FailFast, ElementsInOtherHandsAreTakenBack) {
  Gate gate;
  std::atomic<int> started = 0;
  FakePool pool(2, {.run = [&](const Element& e) {
                      ++started;
                      if (e.id == 0) gate.pass(e.killed);
                      if (e.id == 10) {
                        EXPECT_TRUE(comes_true([&] { return started == 2; }));
                        return Act::die;
                      }
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 20, 10, TaskOptions{}, true);
  EXPECT_TRUE(comes_true([&] { return pool.core().stats().workers_crashed == 1; }));
  gate.open();
  auto expected = std::vector<std::int64_t>(20, -1);
  expected[0] = 0;
  EXPECT_EQ(values(*batch), expected);
  EXPECT_EQ(started, 2);
}

TEST(Timeouts, AnElementInTheMiddleRunsAgainAndTheOthersOnce) {
  std::atomic<int> runs[10]{};
  FakePool pool(1, {.run = [&](const Element& e) {
                      ++runs[e.id];
                      if (e.id == 4 && e.attempt < 3) hang(e);
                      return Act::value;
                    }});
  pool.started();
  const auto batch =
      pool.map(0, 10, 10, TaskOptions{.timeout = 20ms, .retries = 2, .cancel = at_once});
  EXPECT_EQ(values(*batch), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  for (int i = 0; i != 10; ++i) EXPECT_EQ(runs[i], i == 4 ? 3 : 1) << i;
}

TEST(Timeouts, TheLastAttemptEndsInTaskTimeout) {
  FakePool pool(1, {.run = [&](const Element& e) {
    hang(e);
    return Act::value;
  }});
  pool.started();
  const auto call = pool.submit(
      1, TaskOptions{.timeout = 10ms, .retries = 1, .name = "a name", .cancel = at_once});
  const std::string text = error<TaskTimeout>(*call);
  EXPECT_NE(text.find("a name"), std::string::npos) << text;
  EXPECT_NE(text.find("0.01"), std::string::npos) << text;
}

TEST(Timeouts, TheTimeCountsFromWhenTheWorkerBegins) {
  Gate gate;
  FakePool pool(1, {.before_call = [&](int, const std::atomic<bool>& killed) { gate.pass(&killed); }});
  pool.started();
  const auto call = pool.submit(5, TaskOptions{.timeout = 10ms, .cancel = at_once});
  EXPECT_FALSE(pool.core().wait(*call, Clock::now() + 60ms));
  gate.open();
  EXPECT_EQ(value(*call), 5u);
  EXPECT_EQ(pool.machine().launched(), 1);
}

// A worker that is stopped before it begins: as if by SIGSTOP, it does not even say anything.
TEST(Timeouts, ATaskThatItsWorkerDoesNotBeginRunsElsewhere) {
  std::atomic<bool> stopped = false;
  FakePool pool(1, {.run = [&](const Element&) { return Act::value; },
                    .before_call =
                        [&](int worker, const std::atomic<bool>& killed) {
                          if (worker != 0) return;
                          stopped = true;
                          while (!killed) std::this_thread::yield();
                        }});
  pool.started();
  const auto call = pool.submit(5, TaskOptions{.timeout = 20ms});
  EXPECT_TRUE(comes_true([&] { return stopped.load(); }));
  EXPECT_EQ(value(*call), 5u);
  EXPECT_EQ(pool.machine().launched(), 2);
}

}  // namespace
}  // namespace procpool::test
