// Whatever happens, every task ends exactly once.
#include <cstdlib>
#include <iostream>
#include <random>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

std::uint64_t chosen_seed() {
  const char* given = std::getenv("PROCPOOL_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

// What becomes of an element is drawn from its number and the seed, so that it does not depend on
// who runs it when.
Act fate(std::uint64_t seed, const Element& e) {
  std::mt19937_64 random(seed ^ (e.id * 0x9e3779b97f4a7c15) ^ e.attempt);
  switch (random() % 64) {
    case 0: return Act::die;
    case 1: return Act::publish_and_die;
    default: return Act::value;
  }
}

struct Tally {
  std::atomic<int> settled = 0;
  std::atomic<int> callbacks = 0;
};

// One thread of the user's: submits, waits with and without deadlines, maps, discards.
void use(FakePool& pool, std::uint64_t seed, Tally& tally, int rounds) {
  std::mt19937_64 random(seed);
  for (int round = 0; round != rounds; ++round) {
    const std::uint64_t id = random();
    if (random() % 4 == 0) {
      const auto batch = pool.map(id, static_cast<std::uint32_t>(random() % 60),
                                  static_cast<std::uint32_t>(random() % 20 + 1),
                                  static_cast<std::uint32_t>(random() % 2));
      if (random() % 4 == 0) pool.core().discard(*batch);
      wait(*batch);
      ++tally.settled;
      continue;
    }
    std::vector<Ref<Call>> calls;
    for (std::uint64_t i = 0, count = random() % 20 + 1; i != count; ++i) {
      calls.push_back(pool.submit(id + i, static_cast<std::uint32_t>(random() % 3)));
      ++tally.callbacks;
      pool.core().on_done(*calls.back(), [&tally] { --tally.callbacks; });
    }
    for (std::uint64_t i = 0; i != calls.size(); ++i) {
      Call& call = *calls[i];
      if (random() % 3 == 0) call.core->wait(call, Clock::now() + 20us);
      wait(call);
      ++tally.settled;
      if (call.outcome == Outcome::value) {
        EXPECT_EQ(value(call), id + i);
      } else {
        EXPECT_FALSE(error<WorkerCrashed>(call).empty());
      }
    }
  }
}

void run(bool launchers_are_lost) {
  const std::uint64_t seed = chosen_seed();
  std::cout << "PROCPOOL_TEST_SEED=" << seed << std::endl;
  SCOPED_TRACE(seed);
  Tally tally;
  {
    FakePool pool(3, {.run = [seed](const Element& e) { return fate(seed, e); },
                      .status = launchers_are_lost ? Script::Status::later : Script::Status::at_once,
                      .has_socket = launchers_are_lost},
                  // On a slow machine launchers are lost faster than they start anybody.
                  [](supervisor::Settings& settings) { settings.max_start_failures = 1'000'000; });
    pool.started();
    std::atomic<bool> over = false;
    std::thread killer([&] {
      std::mt19937_64 random(seed + 99);
      while (!over) {
        const auto launched = static_cast<std::uint64_t>(pool.machine().launched());
        pool.machine().kill(static_cast<int>(random() % launched));
        if (launchers_are_lost && random() % 8 == 0) pool.machine().lose_launcher();
        const Deadline pause = Clock::now() + std::chrono::milliseconds(random() % 5 + 1);
        while (!over && Clock::now() < pause) std::this_thread::yield();
      }
    });
    std::vector<std::thread> users;
    for (std::uint64_t i = 0; i != 4; ++i) {
      users.emplace_back([&, i] { use(pool, seed + i, tally, 60); });
    }
    for (auto& user : users) user.join();
    over = true;
    killer.join();
    pool.core().close();
    EXPECT_TRUE(pool.core().join(never));
    // One that was being started when its launcher was lost ends by itself: its socket is closed.
    EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 0; }));
  }
  EXPECT_GT(tally.settled, 240);
  EXPECT_EQ(tally.callbacks, 0);
}

TEST(Random, EveryTaskEndsOnceWhileWorkersDie) { run(false); }
TEST(Random, EveryTaskEndsOnceWhileLaunchersAreLostToo) { run(true); }

}  // namespace
}  // namespace procpool::test
