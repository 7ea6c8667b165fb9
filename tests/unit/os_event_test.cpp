// Wakes: eventfds, futexes, epoll, timers.
#include "os/event.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>

#include "os/memory.hpp"
#include "os/poller.hpp"
#include "os/process.hpp"
#include "os_support.hpp"
#include "support/census.hpp"

namespace {

using namespace procpool;
using namespace std::chrono_literals;
using os::Poller;
using os::Scope;
using os::Timer;
using test::holds_in_child;
using test::require;
using Keys = std::array<std::uint64_t, 8>;

class OsEvent : public test::Census {};

TEST_F(OsEvent, RingsUntilItIsNoEvent) {
  os::Fd event = os::make_event();
  EXPECT_TRUE(os::ring(event.get()));
  const std::uint64_t full = ~std::uint64_t{0} - 2;
  ASSERT_EQ(::write(event.get(), &full, sizeof full), 8);
  EXPECT_TRUE(os::ring(event.get()));  // full: nobody has read it, so it counts
  const int number = event.get();
  event.reset();
  EXPECT_FALSE(os::ring(number));
}

TEST_F(OsEvent, EdgeTriggeredEveryRingIsSeenWithoutReading) {
  const os::Fd event = os::make_event();
  Poller poller;
  poller.add(event.get(), 77);
  Keys keys{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(poller.wait(keys, Deadline{}), 0U);
    os::ring(event.get());
    ASSERT_EQ(poller.wait(keys), 1U);
    EXPECT_EQ(keys[0], 77U);
  }
}

TEST_F(OsEvent, LevelTriggeredItIsSeenUntilRemoved) {
  const os::Fd event = os::make_event();
  Poller poller;
  poller.add(event.get(), 5, Poller::Trigger::level);
  os::ring(event.get());
  Keys keys{};
  EXPECT_EQ(poller.wait(keys), 1U);
  EXPECT_EQ(poller.wait(keys), 1U);
  poller.remove(event.get());
  EXPECT_EQ(poller.wait(keys, Deadline{}), 0U);
  poller.remove(event.get());  // twice is harmless
}

TEST_F(OsEvent, AFewKeysAtATimeLoseNone) {
  std::vector<os::Fd> events;
  Poller poller;
  for (std::uint64_t i = 0; i < 100; ++i) {
    events.push_back(os::make_event());
    poller.add(events.back().get(), i);
    os::ring(events.back().get());
  }
  std::set<std::uint64_t> seen;
  Keys keys{};
  while (const std::size_t n = poller.wait(keys, Deadline{})) seen.insert(&keys[0], &keys[0] + n);
  EXPECT_EQ(seen.size(), 100U);
}

TEST_F(OsEvent, APollerNeverReturnsBeforeItsDeadline) {
  Poller poller;
  Keys keys{};
  const Deadline until = Clock::now() + 1500us;
  EXPECT_EQ(poller.wait(keys, until), 0U);
  EXPECT_GE(Clock::now(), until);
}

TEST_F(OsEvent, NorOnAKernelThatKnowsMillisecondsOnly) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_epoll_pwait2, ENOSYS);
    Poller poller;
    Keys keys{};
    const Deadline until = Clock::now() + 1500us;
    require(poller.wait(keys, until) == 0 && Clock::now() >= until, "rounded up");
    const os::Fd event = os::make_event();
    poller.add(event.get(), 3);
    os::ring(event.get());
    require(poller.wait(keys) == 1 && keys[0] == 3, "woken");
  }));
}

TEST_F(OsEvent, ATimerWakesAgainAndAgainAndNotWhenDisarmed) {
  Timer timer;
  Poller poller;
  poller.add(timer.fd(), 9);
  Keys keys{};
  for (const Deadline due : {Clock::now() + 1ms, Clock::now() - 1h, Deadline{}}) {
    timer.set(due);
    ASSERT_EQ(poller.wait(keys), 1U);
    EXPECT_GE(Clock::now(), due);
    EXPECT_EQ(keys[0], 9U);
  }
  timer.set(Clock::now() + 1h);
  timer.set(never);
  EXPECT_EQ(poller.wait(keys, Clock::now() + 2ms), 0U);
}

TEST_F(OsEvent, PollersAndTimersAreClosedInAStrayChild) {
  const Poller poller;
  const Timer timer;
  EXPECT_TRUE(holds_in_child([&] {
    require(::fcntl(poller.fd(), F_GETFD) < 0 && ::fcntl(timer.fd(), F_GETFD) < 0, "closed");
  }));
}

TEST_F(OsEvent, AFutexWithAnotherValueDoesNotSleep) {
  const std::atomic<std::uint32_t> word{1};
  EXPECT_TRUE(os::futex_wait(word, 0, Scope::process));
  EXPECT_TRUE(os::futex_wait(word, 0, Scope::shared));
}

TEST_F(OsEvent, AFutexKeepsItsDeadline) {
  const std::atomic<std::uint32_t> word{0};
  const Deadline until = Clock::now() + 2ms;
  while (os::futex_wait(word, 0, Scope::process, until)) continue;
  EXPECT_GE(Clock::now(), until);
  EXPECT_FALSE(os::futex_wait(word, 0, Scope::process, Deadline{}));
  EXPECT_FALSE(os::futex_wait(word, 0, Scope::process, Deadline::min()));
}

TEST_F(OsEvent, AFutexWakesAThread) {
  std::atomic<std::uint32_t> word{0};
  std::thread waker([&] {
    word = 1;
    os::futex_wake(word, 1, Scope::process);
  });
  while (word == 0) os::futex_wait(word, 0, Scope::process);
  waker.join();
  EXPECT_EQ(word, 1U);
}

struct Words {
  std::atomic<std::uint32_t> ping;
  std::atomic<std::uint32_t> pong;
};

Words& words(const os::Mapping& mapping) { return *reinterpret_cast<Words*>(mapping.data()); }

// The child sleeps on a word that it can only read, and answers on another page.
void answer(const os::Fd& questions, const os::Fd& answers, std::uint32_t rounds) {
  const os::Mapping in(questions, os::Access::read_only);
  const os::Mapping out(answers, os::Access::read_write);
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    while (words(in).ping < i) os::futex_wait(words(in).ping, i - 1, Scope::shared);
    words(out).pong = i;
    os::futex_wake(words(out).pong, 1, Scope::shared);
  }
}

TEST_F(OsEvent, AFutexWakesAcrossProcessesOnAReadOnlyMappingUnderASignalStorm) {
  constexpr std::uint32_t rounds = 2000;
  const os::Fd questions = os::make_memory("questions", 4096);
  const os::Fd answers = os::make_memory("answers", 4096);
  const os::Mapping out(questions, os::Access::read_write);
  os::seal_against_writers(questions);
  const os::Mapping in(answers, os::Access::read_write);
  const pid_t pid = test::start_child([&] { answer(questions, answers, rounds); });
  const test::SignalStorm storm;
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    words(out).ping = i;
    os::futex_wake(words(out).ping, 1, Scope::shared);
    while (words(in).pong < i) os::futex_wait(words(in).pong, i - 1, Scope::shared);
  }
  EXPECT_EQ(test::wait_status(pid), 0);
}

TEST_F(OsEvent, ASleepThatThePollerIsToldOfEndsEarlyOnlyWithZero) {
  const test::SignalStorm storm;
  Poller poller;
  Keys keys{};
  const Deadline until = Clock::now() + 20ms;
  int rounds = 0;
  while (Clock::now() < until) {
    EXPECT_EQ(poller.wait(keys, until), 0U);
    ++rounds;
  }
  EXPECT_GT(rounds, 1);
}

}  // namespace
