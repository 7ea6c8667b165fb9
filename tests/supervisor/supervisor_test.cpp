// Scheduling, healing and the pool's end, over workers that are threads (fake_launcher.hpp).
#include <algorithm>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

// ---- calls ---------------------------------------------------------------------------------------

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

// ---- maps ----------------------------------------------------------------------------------------

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

// ---- deaths --------------------------------------------------------------------------------------

TEST(Deaths, OneTaskHearsOfItAndTheOthersRun) {
  FakePool pool(2, {.run = [](const Element& e) { return e.id == 10 ? Act::die : Act::value; }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 100; ++id) calls.push_back(pool.submit(id));
  for (std::uint64_t id = 0; id != 100; ++id) {
    if (id == 10) {
      EXPECT_NE(error<WorkerCrashed>(*calls[id]).find("SIGKILL"), std::string::npos);
    } else {
      EXPECT_EQ(value(*calls[id]), id);
    }
  }
}

TEST(Deaths, RetriesAreCountedDown) {
  std::atomic<int> attempts = 0;
  FakePool pool(1, {.run = [&](const Element& e) {
                      ++attempts;
                      EXPECT_EQ(e.attempt, attempts);
                      return Act::die;
                    }});
  pool.started();
  const auto call = pool.submit(1, 2);
  EXPECT_NE(error<WorkerCrashed>(*call).find("attempt 3"), std::string::npos);
  EXPECT_EQ(attempts, 3);
}

TEST(Deaths, AnIdleWorkersDeathIsHealedUnheard) {
  FakePool pool(2);
  pool.started();
  pool.machine().kill(0);
  EXPECT_TRUE(comes_true([&] { return pool.machine().launched() == 3; }));
  EXPECT_EQ(value(*pool.submit(5)), 5u);
  EXPECT_EQ(pool.core().pids().size(), 2u);
}

TEST(Deaths, AStatusThatComesLaterIsAwaited) {
  FakePool pool(1, {.run = [](const Element& e) { return e.id == 0 ? Act::die : Act::value; },
                    .status = Script::Status::later,
                    .has_socket = true});
  pool.started();
  EXPECT_NE(error<WorkerCrashed>(*pool.submit(0)).find("SIGKILL"), std::string::npos);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
}

TEST(Deaths, AStatusThatNeverComesIsNotAwaitedForLong) {
  FakePool pool(1, {.run = [](const Element& e) { return e.id == 0 ? Act::die : Act::value; },
                    .status = Script::Status::never,
                    .has_socket = true});
  pool.started();
  EXPECT_NE(error<WorkerCrashed>(*pool.submit(0)).find("unknown"), std::string::npos);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
}

// ---- evidence ------------------------------------------------------------------------------------

// A worker with three calls in its hand runs the first, forges its claim words and dies. How many of
// the three then count as started.
int started_after(std::function<void(const Element&)> forge) {
  Gate gate;
  std::atomic<bool> forged = false;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (forged.exchange(true)) return Act::value;
                      gate.pass(e.killed);
                      forge(e);
                      return Act::die;
                    }});
  pool.started();
  const auto batch = pool.map(0, 3, 3);
  const auto second = pool.submit(100);
  gate.open();
  const auto outcomes = values(*batch);
  wait(*second);
  return static_cast<int>(std::ranges::count(outcomes, -1)) +
         (second->outcome == Outcome::error ? 1 : 0);
}

shm::Word64& claim_of(const Element& e, std::uint64_t slots_later) {
  return e.results->claims[(e.sequence + slots_later) % shm::slot_count];
}
std::uint64_t word(std::uint16_t lap, std::uint32_t limit, std::uint32_t next) {
  return shm::Claim{lap, limit, next}.pack();
}

TEST(Evidence, ALegalPictureCostsTheElementThatRan) {
  EXPECT_EQ(started_after([](const Element&) {}), 1);
}

TEST(Evidence, EachIllegalPictureCountsEverythingAsStarted) {
  const std::pair<const char*, std::function<void(const Element&)>> pictures[] = {
      {"two elements run at once", [](const Element& e) { claim_of(e, 0) = word(1, 3, 2); }},
      {"next beyond the limit", [](const Element& e) { claim_of(e, 0) = word(1, 3, 9); }},
      {"another limit", [](const Element& e) { claim_of(e, 0) = word(1, 2, 1); }},
      {"another lap, not exhausted", [](const Element& e) { claim_of(e, 0) = word(9, 3, 1); }},
      {"a call that began while one before it ran",
       [](const Element& e) { claim_of(e, 1) = word(1, 1, 1); }},
      {"a later call's word of no call", [](const Element& e) { claim_of(e, 1) = word(7, 1, 0); }},
  };
  for (const auto& [what, forge] : pictures) EXPECT_EQ(started_after(forge), 4) << what;
}

TEST(Evidence, ATailThatCannotBeIsThatWorkersDeath) {
  FakePool pool(2, {.run = [](const Element& e) {
    if (e.id == 0) {
      e.results->header.tail = 12345;
      while (!*e.killed) std::this_thread::yield();
    }
    return Act::value;
  }});
  pool.started();
  const auto bad = pool.submit(0);
  const auto good = pool.submit(1);
  EXPECT_EQ(value(*good), 1u);
  EXPECT_NE(error<WorkerCrashed>(*bad).find("protocol violation"), std::string::npos);
}

// ---- launchers -----------------------------------------------------------------------------------

TEST(Launchers, ALostOneIsMadeAgainAndItsWorkersFinishWhatTheyRun) {
  Gate gate;
  std::atomic<int> running = 0;
  FakePool pool(2, {.run = [&](const Element& e) {
                      if (e.id == 0) {
                        ++running;
                        gate.pass(e.killed);
                      }
                      return Act::value;
                    },
                    .has_socket = true});
  pool.started();
  const auto call = pool.submit(0);
  EXPECT_TRUE(comes_true([&] { return running == 1; }));
  pool.machine().lose_launcher();
  EXPECT_TRUE(comes_true([&] { return pool.machine().launched() >= 3; }));
  EXPECT_EQ(pool.machine().launchers_made(), 2);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  gate.open();
  EXPECT_EQ(value(*call), 0u);
}

TEST(Launchers, OneThatIsNotMadeAgainBreaksThePoolWhenItIsNeeded) {
  FakePool pool(1, {.run = [](const Element& e) { return e.id == 1 ? Act::die : Act::value; },
                    .has_socket = true},
                [](supervisor::Settings& s) { s.remake_launcher = false; });
  pool.started();
  pool.machine().lose_launcher();
  EXPECT_EQ(value(*pool.submit(0)), 0u);  // its worker still works
  EXPECT_FALSE(error<WorkerCrashed>(*pool.submit(1)).empty());
  EXPECT_TRUE(comes_true([&] {
    try {
      return !error<PoolBroken>(*pool.submit(2)).empty();
    } catch (const PoolBroken&) {
      return true;
    }
  }));
}

TEST(Launchers, LosingOneWhileStartsAreUnderWayLosesNoSeat) {
  Gate in_launch, go_on;
  FakeMachine* machine = nullptr;
  FakePool pool(2, {.before_launch =
                        [&, lost = false](int worker) mutable {
                          if (worker != 2 || std::exchange(lost, true)) return;
                          machine->lose_launcher();
                          in_launch.open();
                          go_on.pass();
                          throw std::system_error(EPIPE, std::generic_category(), "sendmsg");
                        },
                    .has_socket = true});
  machine = &pool.machine();
  pool.started();
  pool.machine().kill(0);
  in_launch.pass();
  // Turns run here while the background thread is in `launch`, and bury what it was starting.
  pool.core().wait(*Ref<Call>::adopt(new Call(0)), Clock::now() + 10ms);
  go_on.open();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 10; ++id) calls.push_back(pool.submit(id));
  for (std::uint64_t id = 0; id != 10; ++id) EXPECT_EQ(value(*calls[id]), id);
  EXPECT_TRUE(comes_true([&] { return pool.core().pids().size() == 2; }));
}

// ---- starting ------------------------------------------------------------------------------------

TEST(Starting, AWorkerThatDiesBeforeItsHelloBreaksTheStart) {
  FakePool pool(2, {.says_hello = [](int worker) { return worker != 1; }});
  try {
    pool.core().start();
    FAIL() << "it started";
  } catch (const PoolBroken& broken) {
    EXPECT_NE(std::string(broken.what()).find("115"), std::string::npos) << broken.what();
  }
  EXPECT_EQ(pool.machine().alive(), 0);
}

TEST(Starting, ALaunchThatThrowsBreaksTheStart) {
  FakePool pool(1, {.before_launch = [](int) {
    throw std::system_error(EAGAIN, std::generic_category(), "fork");
  }});
  EXPECT_THROW(pool.core().start(), PoolBroken);
}

TEST(Starting, LaterFailuresAreRetriedWhileThereIsHope) {
  std::atomic<int> failures = 0;
  FakePool pool(1, {.before_launch = [&](int worker) {
    if (worker == 1 && failures++ < 3) {
      throw std::system_error(EAGAIN, std::generic_category(), "fork");
    }
  }});
  pool.started();
  pool.machine().kill(0);
  EXPECT_EQ(value(*pool.submit(1)), 1u);
  EXPECT_EQ(failures, 4);
}

TEST(Starting, APoolThatCannotHealBreaksAndCanBeJoined) {
  FakePool pool(1, {.says_hello = [](int worker) { return worker == 0; }});
  pool.started();
  pool.machine().kill(0);
  const auto call = Ref<Call>::adopt(new Call(1));
  try {
    pool.core().submit(*call, detail::Admission::wait);
    EXPECT_NE(error<PoolBroken>(*call).find("115"), std::string::npos);
  } catch (const PoolBroken&) {
    FAIL() << "too early";
  }
  EXPECT_THROW(pool.submit(2), PoolBroken);
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
}

// ---- the end -------------------------------------------------------------------------------------

TEST(Ends, CloseAndJoinWaitForWhatRuns) {
  Gate gate;
  FakePool pool(2, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto call = pool.submit(1);
  pool.core().close();
  EXPECT_THROW(pool.submit(2), PoolClosed);
  EXPECT_FALSE(pool.core().join(Clock::now() + 1ms));
  gate.open();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(value(*call), 1u);
  EXPECT_EQ(pool.machine().launched(), 2);  // nobody was replaced
  EXPECT_EQ(pool.machine().alive(), 0);
}

TEST(Ends, JoinOfAnOpenPoolIsMisuse) {
  FakePool pool(1);
  pool.started();
  EXPECT_THROW(pool.core().join(never), Misuse);
}

TEST(Ends, TerminateEndsEverythingOnce) {
  FakePool pool(2, {.run = [](const Element& e) {
    while (!*e.killed) std::this_thread::yield();
    return Act::value;
  }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 20; ++id) calls.push_back(pool.submit(id));
  const auto batch = pool.map(0, 10, 2);
  pool.core().terminate();
  for (const auto& call : calls) EXPECT_FALSE(error<PoolTerminated>(*call).empty());
  EXPECT_EQ(values(*batch), std::vector<std::int64_t>(10, -1));
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(pool.machine().alive(), 0);
  pool.core().terminate();
  EXPECT_THROW(pool.submit(1), PoolTerminated);
}

TEST(Ends, TerminateWhileAWorkerIsBeingReplaced) {
  Gate in_launch, go_on;
  FakePool pool(1, {.before_launch = [&](int worker) {
    if (worker != 1) return;
    in_launch.open();
    go_on.pass();
  }});
  pool.started();
  pool.machine().kill(0);
  in_launch.pass();
  const auto call = pool.submit(1);
  pool.core().terminate();
  EXPECT_FALSE(error<PoolTerminated>(*call).empty());
  go_on.open();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(pool.machine().alive(), 0);
}

TEST(Ends, APoolClosedBeforeItsStartEndsAtItsStart) {
  FakePool pool(2);
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
  pool.core().start();
  EXPECT_EQ(pool.machine().launched(), 0);
}

TEST(Ends, ADiscardLetsJoinReturn) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 50, 10);
  pool.core().close();
  std::thread joiner([&] { EXPECT_TRUE(pool.core().join(never)); });
  pool.core().discard(*batch);
  gate.open();
  joiner.join();
  EXPECT_TRUE(batch->done());
}

TEST(Ends, APoolMayBeAbandonedInItsOwnCallback) {
  auto pool = std::make_unique<FakePool>(1);
  pool->started();
  std::atomic<bool> abandoned = false;
  auto call = Ref<Call>::adopt(new Call(1));
  pool->core().on_done(*call, [&] {
    EXPECT_THROW(pool->core().join(never), Misuse);
    pool->abandon();
    abandoned = true;
  });
  pool->core().submit(*call, detail::Admission::wait);
  EXPECT_TRUE(comes_true([&] { return abandoned.load(); }));
  EXPECT_EQ(value(*call), 1u);
  EXPECT_TRUE(comes_true([&] { return pool->machine().alive() == 0; }));
}

TEST(Ends, FuturesOutliveTheirPool) {
  Ref<Call> call;
  {
    FakePool pool(1);
    pool.started();
    call = pool.submit(9);
  }
  EXPECT_EQ(value(*call), 9u);
}

}  // namespace
}  // namespace procpool::test
