// No wake-up is lost and none is rung twice. The interleaved tests publish through the real ring
// and slots, so they also fail when those publish by less than an ordered store.
#include "shm/doorbell.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/slots.hpp"
#include "tests/support/interleave.hpp"

namespace procpool::shm {
namespace {

using test::End;
using test::Schedule;
using Chosen64 = test::ChosenWord<std::uint64_t>;
using Chosen32 = test::ChosenWord<std::uint32_t>;

TEST(HomeBell, RingsOncePerAnnouncement) {
  Word64 target{0};
  HomeBell<Word64> bell(target);
  HomeRinger<Word64> ringer(target);
  EXPECT_EQ(ringer.due(), Sleeper::nobody);
  bell.announce(Sleeper::leader);
  EXPECT_EQ(target.load(), (1U << 2 | 1U));
  EXPECT_EQ(ringer.due(), Sleeper::leader);
  EXPECT_EQ(ringer.due(), Sleeper::nobody);
  bell.announce(Sleeper::leader);
  EXPECT_EQ(ringer.due(), Sleeper::leader);
  bell.awake(Sleeper::leader);
  EXPECT_EQ(target.load(), (2U << 2));
  EXPECT_EQ(ringer.due(), Sleeper::nobody);
}

TEST(HomeBell, ClearsOnlyItsOwnAnnouncement) {
  Word64 target{0};
  HomeBell<Word64> bell(target);
  bell.announce(Sleeper::leader);
  bell.announce(Sleeper::background);
  bell.awake(Sleeper::leader);
  EXPECT_EQ(bell.announced(), Sleeper::background);
  HomeRinger<Word64> late(target);
  EXPECT_EQ(late.due(), Sleeper::background);
  bell.awake(Sleeper::background);
  EXPECT_EQ(bell.announced(), Sleeper::nobody);
}

TEST(WorkerBell, RingsOncePerAnnouncement) {
  Word32 asleep{0};
  WorkerSleep<Word32> sleep(asleep);
  WorkerRinger<Word32> ringer(asleep);
  EXPECT_FALSE(ringer.due());
  sleep.announce();
  EXPECT_TRUE(ringer.due());
  EXPECT_FALSE(ringer.due());
  sleep.awake();
  EXPECT_FALSE(ringer.due());
  sleep.announce();
  EXPECT_EQ(asleep.load(), 3U);
  EXPECT_TRUE(ringer.due());
}

TEST(WorkerBell, AnyWordCostsAtMostOneRing) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  Word32 asleep{0};
  WorkerRinger<Word32> ringer(asleep);
  for (int i = 0; i != 1000; ++i) {
    asleep = static_cast<std::uint32_t>(random());
    EXPECT_TRUE(!ringer.due() || !ringer.due());
  }
}

/// Runs the bodies; every one must end.
bool all_wake(std::vector<Schedule::Body> bodies, Schedule::Chooser choose) {
  const End end = Schedule(std::move(bodies), std::move(choose)).run();
  EXPECT_EQ(end, End::finished) << "a sleeper that nobody woke";
  return end == End::finished;
}

/// Workers publish two records each, through their rings; the supervisor sleeps until all are
/// there.
bool supervisor_wakes(std::size_t workers, Schedule::Chooser choose) {
  struct Results {
    std::array<std::byte, 256> bytes{};
    Chosen64 tail, head;
  };
  std::vector<Results> results(workers);
  Chosen64 target;
  unsigned rings = 0;  // as an eventfd: counts, so that a ring before the sleep is not forgotten
  const auto worker = [&](Results& mine) {
    RingWriter<Chosen64> ring(mine.bytes, mine.tail, mine.head);
    HomeRinger<Chosen64> bell(target);
    for (std::uint32_t i = 0; i != 2; ++i) {
      ring.reserve(8);
      ring.commit(i, 8);
      if (bell.due() != Sleeper::nobody) ++rings;
    }
  };
  const auto supervisor = [&] {
    HomeBell<Chosen64> bell(target);
    std::vector<RingReader<Chosen64>> readers;
    for (auto& each : results) readers.emplace_back(each.bytes, each.tail, each.head);
    std::size_t got = 0;
    const auto collect = [&] {
      RingReader<Chosen64>::Record record;
      const std::size_t before = got;
      for (auto& reader : readers) {
        for (; reader.peek(record) == Look::record; reader.pop()) ++got;
      }
      return got != before;
    };
    const auto something = [&] {
      for (const auto& reader : readers) {
        if (reader.visible()) return true;
      }
      return false;
    };
    while (got != 2 * workers) {
      if (collect()) continue;
      const unsigned heard = rings;
      bell.announce(Sleeper::leader);
      if (!something()) test::sleep_until([&] { return rings != heard; });
      bell.awake(Sleeper::leader);
    }
  };
  std::vector<Schedule::Body> bodies{supervisor};
  for (auto& each : results) bodies.push_back([&worker, &each] { worker(each); });
  return all_wake(std::move(bodies), std::move(choose));
}

/// The supervisor publishes two slots; the worker sleeps until it has seen both.
bool worker_wakes(Schedule::Chooser choose) {
  std::array<int, 4> slots{};
  Chosen64 tail;
  Chosen32 asleep, wake;
  const auto supervisor = [&] {
    SlotWriter<int, Chosen64> writer(slots, tail);
    WorkerRinger<Chosen32> bell(asleep);
    for (int i = 0; i != 2; ++i) {
      writer.publish();
      if (bell.due()) wake.store(wake.memory() + 1);
    }
  };
  const auto worker = [&] {
    SlotReader<int, Chosen64> reader(slots, tail);
    WorkerSleep<Chosen32> sleep(asleep);
    while (reader.sequence() != 2) {
      const std::uint32_t before = load_acquire(wake);
      sleep.announce();
      if (!reader.visible()) test::sleep_until([&] { return wake.memory() != before; });
      sleep.awake();
      while (reader.visible()) reader.pass();
    }
  };
  return all_wake({supervisor, worker}, std::move(choose));
}

/// A worker waits for room in its ring; the supervisor reads and says so.
bool space_wakes(Schedule::Chooser choose) {
  std::array<std::byte, 64> bytes{};
  Chosen64 tail, head;
  Chosen32 asleep, wake;
  const auto worker = [&] {
    RingWriter<Chosen64> ring(bytes, tail, head);
    WorkerSleep<Chosen32> sleep(asleep);
    for (std::uint32_t i = 0; i != 4; ++i) {
      while (ring.reserve(24).empty()) {
        const std::uint32_t before = load_acquire(wake);
        sleep.announce();
        const bool full = ring.reserve(24).empty();
        if (full) test::sleep_until([&] { return wake.memory() != before; });
        sleep.awake();
      }
      ring.commit(i, 24);
    }
  };
  const auto supervisor = [&] {
    RingReader<Chosen64> reader(bytes, tail, head);
    WorkerRinger<Chosen32> bell(asleep);
    RingReader<Chosen64>::Record record;
    for (int got = 0; got != 4;) {
      test::sleep_until([&, got] { return tail.memory() > static_cast<unsigned>(got) * 32; });
      for (; reader.peek(record) == Look::record; ++got) reader.pop();
      if (reader.publish() && bell.due()) wake.store(wake.memory() + 1);
    }
  };
  return all_wake({worker, supervisor}, std::move(choose));
}

class DoorbellInterleaved : public testing::Test {
 protected:
  const std::uint32_t seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, testing::Message() << "seed " << seed_};
};

TEST_F(DoorbellInterleaved, SupervisorHearsOfEveryOutcome) {
  const auto one = [](Schedule::Chooser choose) { return supervisor_wakes(1, std::move(choose)); };
  EXPECT_TRUE(test::explore_then_sample(2000, 2000, seed_, one));
}

TEST_F(DoorbellInterleaved, SupervisorHearsOfTwoWorkers) {
  const auto two = [](Schedule::Chooser choose) { return supervisor_wakes(2, std::move(choose)); };
  EXPECT_TRUE(test::explore_then_sample(500, 2000, seed_, two));
}

TEST_F(DoorbellInterleaved, WorkerHearsOfEveryCall) {
  EXPECT_TRUE(test::explore_then_sample(2000, 2000, seed_, worker_wakes));
}

TEST_F(DoorbellInterleaved, WorkerHearsOfRoomInItsRing) {
  EXPECT_TRUE(test::explore_then_sample(1000, 3000, seed_, space_wakes));
}

/// The simulated store buffer itself: both early looks happen with plain stores, never with
/// ordered.
TEST(Interleaving, ShowsWhatAStoreBufferDoes) {
  const auto both_early = [](bool ordered) {
    bool happened = false;
    const auto once = [&](Schedule::Chooser choose) {
      Chosen32 mine, yours;
      bool early[2] = {};
      const auto side = [&](Chosen32& store, const Chosen32& look, bool& missed) {
        ordered ? store_ordered(store, 1U) : store_release(store, 1U);
        missed = load_ordered(look) == 0;
      };
      Schedule({[&] { side(mine, yours, early[0]); }, [&] { side(yours, mine, early[1]); }},
               std::move(choose))
          .run();
      happened = happened || (early[0] && early[1]);
      return true;
    };
    EXPECT_TRUE(test::explore(5000, once).all);
    return happened;
  };
  EXPECT_TRUE(both_early(false));
  EXPECT_FALSE(both_early(true));
}

}  // namespace
}  // namespace procpool::shm
