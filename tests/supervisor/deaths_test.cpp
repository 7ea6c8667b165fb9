// Workers that die, and what their memory says of it.
#include <algorithm>
#include <csignal>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

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

TEST(Deaths, OfWhatIsAnnouncedTheEndIsNotAwaited) {
  FakePool pool(1, {.run = [](const Element& e) {
                      return e.id == 0 ? Act::announce : Act::value;
                    }});
  pool.started();
  const auto crashes = pool.submit(0);
  const auto next = pool.submit(1);
  EXPECT_NE(error<WorkerCrashed>(*crashes).find("was killed by SIGSEGV"), std::string::npos);
  EXPECT_EQ(value(*next), 1u);
  EXPECT_EQ(pool.machine().launched(), 2);
  EXPECT_EQ(pool.machine().alive(), 2);
  EXPECT_EQ(pool.core().pids().size(), 1u);
  EXPECT_EQ(pool.core().stats().workers_crashed, 1u);
  pool.core().terminate();
}

TEST(Deaths, LastWordsThatNoWorkerLeavesEndIt) {
  std::atomic<int> round = 0;
  FakePool pool(1, {.run = [&round](const Element& e) {
                      if (e.id == 1) return Act::value;
                      shm::LastWords& words = e.results->crash.words;
                      words.signal = SIGSEGV;
                      switch (round++) {
                        case 0: words.signal = SIGKILL; break;
                        case 1: words.type_bytes = sizeof words.type + 1; break;
                        case 2: words.text_bytes = 0xffff; break;
                        case 3: words.stack_bytes = 0xffff; break;
                        case 4: words.ending = shm::LastWords::endings; break;
                        default: words.flags = 0xff;
                      }
                      return Act::announce;
                    }});
  pool.started();
  for (int i = 0; i != 6; ++i) {
    EXPECT_NE(error<WorkerCrashed>(*pool.submit(0)).find("protocol violation: its last words"),
              std::string::npos);
    EXPECT_EQ(value(*pool.submit(1)), 1u);
  }
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

TEST(Evidence, AnOutcomeOfAnElementThatIsNotNextIsThatWorkersDeath) {
  FakePool pool(1, {.run = [](const Element& e) {
    return e.id == 1 && e.worker == 0 ? Act::misplace : Act::value;
  }});
  pool.started();
  EXPECT_EQ(values(*pool.map(0, 4, 4)), (std::vector<std::int64_t>{0, -1, -1, -1}));
  EXPECT_TRUE(comes_true([&] { return pool.machine().launched() == 2; }));
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

}  // namespace
}  // namespace procpool::test
