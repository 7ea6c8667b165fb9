// Starts: of the pool, of replacements, of what launches them.
#include <sys/types.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

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

// It has nothing more to do and is on its way out: its number is no answer.
TEST(Launchers, TheWorkersOfALostOneAreNotCountedWhenTheyLeave) {
  FakePool pool(2, {.has_socket = true});
  pool.started();
  const auto old = pool.core().pids();
  pool.machine().lose_launcher();
  EXPECT_TRUE(comes_true([&] { return pool.machine().launchers_made() == 2; }));
  for (const pid_t worker : pool.core().pids()) EXPECT_EQ(std::ranges::count(old, worker), 0);
}

// Each is lost by its first launch, which has reached it.
TEST(Launchers, LosingThemAtEachLaunchIsNotTriedForEver) {
  FakeMachine* machine = nullptr;
  FakePool pool(1, {.says_hello = [](int worker) { return worker == 0; },
                    .before_launch =
                        [&](int worker) {
                          if (worker != 0) machine->lose_launcher();
                        },
                    .has_socket = true},
                [](supervisor::Settings& s) { s.max_start_failures = 3; });
  machine = &pool.machine();
  pool.started();
  pool.machine().kill(0);
  EXPECT_TRUE(comes_true([&] {
    try {
      return !error<PoolBroken>(*pool.submit(1)).empty();
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

TEST(Starting, AWorkerOfAnotherBuildBreaksTheStartByName) {
  FakePool pool(1, {.identity = os::program_identity() + 1});
  try {
    pool.core().start();
    FAIL() << "it started";
  } catch (const PoolBroken& broken) {
    EXPECT_NE(std::string(broken.what()).find("another build of procpool_test_supervisor (build id "),
              std::string::npos)
        << broken.what();
  }
}

// This program has a main, which does not call init.
TEST(Starting, APoolThatNobodyWillStartTakesNoWork) {
  FakePool pool(1);
  EXPECT_THROW(pool.submit(1), Misuse);
  EXPECT_THROW(pool.map(0, 10, 5), Misuse);
  EXPECT_EQ(pool.started().machine().launched(), 1);
  EXPECT_EQ(value(*pool.submit(2)), 2u);
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

}  // namespace
}  // namespace procpool::test
