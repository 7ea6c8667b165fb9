// Who has which elements: words placed by hand, then every interleaving of a worker and a
// supervisor, and words that no honest worker writes.
#include "shm/claim.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "shm/layout.hpp"
#include "tests/support/interleave.hpp"

namespace procpool::shm {
namespace {

using test::ChosenWord;
using test::End;
using test::Schedule;

std::uint64_t word(std::uint16_t lap, std::uint32_t limit, std::uint32_t next) {
  return Claim{lap, limit, next}.pack();
}

TEST(Claim, PacksEveryFieldToItsLimits) {
  const Claim claim{0xffff, max_elements, max_elements - 1};
  EXPECT_EQ(Claim::unpack(claim.pack()), claim);
  EXPECT_EQ(word(1, 2, 3), 0x0001'000002'000003U);
}

TEST(Claim, LapIsNeverZeroAndDiffersFromTheLastEvenAtTheWrap) {
  EXPECT_EQ(lap_of(0, 128), 1);
  EXPECT_EQ(lap_of(127, 128), 1);
  EXPECT_EQ(lap_of(128, 128), 2);
  const std::uint64_t last = 0xfffeULL * 128;
  EXPECT_EQ(lap_of(last, 128), 0xffff);
  EXPECT_EQ(lap_of(last + 128, 128), 1);
}

TEST(Claim, FirstTakeWritesTheWholeWord) {
  for (const std::uint64_t before : {std::uint64_t{0}, word(6, 3, 3), word(0xffff, 0, 0)}) {
    Word64 claim{before};
    EXPECT_EQ(claim::take(claim, 7, 5, false, 2), (Range{0, 2}));
    EXPECT_EQ(claim.load(), word(7, 5, 2));
  }
}

TEST(Claim, TakesInBlocksUntilNothingIsLeft) {
  Word64 claim{0};
  EXPECT_EQ(claim::take(claim, 1, 5, false, 4), (Range{0, 4}));
  EXPECT_EQ(claim::take(claim, 1, 5, true, 4), (Range{4, 5}));
  EXPECT_TRUE(claim::take(claim, 1, 5, true, 4).empty());
  EXPECT_EQ(claim.load(), word(1, 5, 5));
}

TEST(Claim, CallOfNoElementsIsNeverTaken) {
  Word64 claim{word(1, 1, 1)};
  EXPECT_TRUE(claim::take(claim, 2, 0, false, 1).empty());
  EXPECT_EQ(claim.load(), word(1, 1, 1));
}

TEST(Claim, LargestCallIsTakenWhole) {
  Word64 claim{0};
  EXPECT_EQ(claim::take(claim, 1, max_elements, false, ~0U), (Range{0, max_elements}));
  EXPECT_EQ(claim.load(), word(1, max_elements, max_elements));
}

TEST(Claim, WorkerThatHasTakenDoesNotTouchTheNextUseOfItsSlot) {
  Word64 claim{word(3, 0, 0)};  // the supervisor took back all of lap 3; this worker is at lap 2
  EXPECT_TRUE(claim::take(claim, 2, 5, true, 1).empty());
  EXPECT_EQ(claim.load(), word(3, 0, 0));
}

TEST(Claim, TakenBackBeforeTheWorkerCame) {
  Word64 claim{word(0xffff, 4, 4)};
  EXPECT_EQ(claim::lower_limit(claim, 1, 5, 5, 0), 0U);
  EXPECT_EQ(claim.load(), word(1, 0, 0));
  EXPECT_TRUE(claim::take(claim, 1, 5, false, 1).empty());
  EXPECT_EQ(claim::started(claim, 1, 5, 0), 0U);
}

TEST(Claim, LimitStopsAtWhatIsTakenOrKept) {
  Word64 claim{word(1, 9, 4)};
  EXPECT_EQ(claim::lower_limit(claim, 1, 9, 9, 7), 7U);
  EXPECT_EQ(claim.load(), word(1, 7, 4));
  EXPECT_EQ(claim::lower_limit(claim, 1, 9, 7, 0), 4U);
  EXPECT_EQ(claim.load(), word(1, 4, 4));
  EXPECT_EQ(claim::lower_limit(claim, 1, 9, 4, 0), 4U);
  EXPECT_TRUE(claim::take(claim, 1, 9, true, 1).empty());
}

TEST(Claim, KeepingEverythingWritesNothing) {
  Word64 claim{0};
  EXPECT_EQ(claim::lower_limit(claim, 1, 9, 9, 9), 9U);
  EXPECT_EQ(claim.load(), 0U);
}

TEST(Claim, StartedBelievesOnlyLegalWords) {
  const auto started = [](std::uint64_t bits, std::uint32_t limit) {
    const Word64 claim{bits};
    return claim::started(claim, 2, 9, limit);
  };
  EXPECT_EQ(started(0, 9), 0U);
  EXPECT_EQ(started(word(1, 4, 4), 9), 0U);
  EXPECT_EQ(started(word(2, 9, 5), 9), 5U);
  EXPECT_EQ(started(word(2, 5, 5), 5), 5U);
  EXPECT_EQ(started(word(1, 4, 3), 9), std::nullopt) << "a slot not exhausted is not used again";
  EXPECT_EQ(started(word(1, 4, 4), 5), std::nullopt) << "the lap was written when lowered";
  EXPECT_EQ(started(0, 5), std::nullopt);
  EXPECT_EQ(started(word(2, 9, 5), 5), std::nullopt) << "the limit was raised again";
  EXPECT_EQ(started(word(2, 4, 4), 5), std::nullopt) << "only the supervisor lowers";
  EXPECT_EQ(started(word(2, 9, 10), 9), std::nullopt);
}

TEST(Claim, FromAnIllegalWordNothingIsTakenBack) {
  for (const std::uint64_t bits :
       {word(1, 9, 3), word(2, 9, 1), word(2, 4, 0), word(2, 5, 6), word(2, 500, 400)}) {
    Word64 claim{bits};
    EXPECT_EQ(claim::lower_limit(claim, 2, 9, 5, 0), 5U);
    EXPECT_EQ(claim.load(), bits);
  }
}

TEST(Claim, RandomWordsStayWithinTheLedger) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i != 100000; ++i) {
    const auto count = static_cast<std::uint32_t>(random() % 5);
    const auto limit = static_cast<std::uint32_t>(random() % (count + 1));
    const auto keep = static_cast<std::uint32_t>(random() % 6);
    const auto some = [&] { return static_cast<std::uint32_t>(random() % 6); };
    Word64 claim{i % 2 == 0 ? random() : word(static_cast<std::uint16_t>(some()), some(), some())};
    const auto started = claim::started(claim, 2, count, limit);
    ASSERT_LE(started.value_or(0), limit);
    const std::uint32_t lowered = claim::lower_limit(claim, 2, count, limit, keep);
    ASSERT_LE(lowered, limit);
    ASSERT_GE(lowered, std::min(keep, limit));
    ASSERT_GE(lowered, started.value_or(0));
    ASSERT_TRUE(started || lowered == limit) << "something came back from an illegal word";
  }
}

/// Changes before every exchange, always to another legal picture.
struct RestlessWord {
  std::uint64_t load(std::memory_order) const { return word(2, 9, 0); }
  bool compare_exchange_strong(std::uint64_t& expected, std::uint64_t, std::memory_order,
                               std::memory_order) {
    ++tries;
    expected = word(2, 9, static_cast<std::uint32_t>(tries % 2));
    return false;
  }
  int tries = 0;
};

TEST(Claim, SupervisorGivesUpOnAWordThatDoesNotHoldStill) {
  RestlessWord restless;
  EXPECT_EQ(claim::lower_limit(restless, 2, 9, 9, 0), 9U);
  EXPECT_EQ(restless.tries, claim::patience);
}

/// A worker and a supervisor over one call of `count`, then over the slot's next use, which starts
/// as soon as the outcomes of all that was taken are there: the worker may still look at the old
/// one.
struct TwoUses {
  static constexpr std::uint32_t count = 3;
  std::uint16_t lap;
  std::uint32_t block;
  ChosenWord<std::uint64_t> claim;
  ChosenWord<std::uint64_t> settled;  // elements of the first use
  ChosenWord<std::uint64_t> tail;     // uses published
  ChosenWord<std::uint64_t> passed;   // uses the worker is through with
  std::vector<int> had[2] = {std::vector<int>(count), std::vector<int>(count)};

  std::uint16_t lap_at(int use) const {
    return lap_of((lap - 1U + static_cast<std::uint64_t>(use)) * 128, 128);
  }
  void note(int use, Range range) {
    for (auto i = range.first; i != range.last; ++i) ++had[use].at(i);
  }
  void work() {
    for (int use = 0; use != 2; ++use) {
      test::sleep_until([&] { return tail.memory() > static_cast<unsigned>(use); });
      bool taken = false;
      for (;;) {
        const Range range = claim::take(claim, lap_at(use), count, taken, block);
        if (range.empty()) break;
        taken = true;
        note(use, range);
        if (use == 0) store_ordered(settled, std::uint64_t{range.last});
      }
      if (use == 0) store_ordered(passed, std::uint64_t{1});
    }
  }
  void supervise() {
    store_ordered(tail, std::uint64_t{1});
    const std::uint32_t some = claim::lower_limit(claim, lap_at(0), count, count, 2);
    const std::uint32_t limit = claim::lower_limit(claim, lap_at(0), count, some, 0);
    note(0, {limit, count});
    test::sleep_until(
        [&, limit] { return limit == 0 ? passed.memory() == 1 : settled.memory() == limit; });
    store_ordered(tail, std::uint64_t{2});
    note(1, {claim::lower_limit(claim, lap_at(1), count, count, 1), count});
  }
};

bool each_element_once(std::uint16_t lap, std::uint32_t block, Schedule::Chooser choose) {
  TwoUses uses{.lap = lap, .block = block, .claim{}, .settled{}, .tail{}, .passed{}};
  uses.claim.store(word(lap == 1 ? 0xffff : static_cast<std::uint16_t>(lap - 1), 4, 4));
  Schedule schedule({[&] { uses.work(); }, [&] { uses.supervise(); }}, std::move(choose));
  const End end = schedule.run();
  const std::vector<int> once(TwoUses::count, 1);
  const bool good = end == End::finished && uses.had[0] == once && uses.had[1] == once;
  EXPECT_EQ(end, End::finished);
  EXPECT_EQ(uses.had[0], once);
  EXPECT_EQ(uses.had[1], once);
  return good;
}

TEST(ClaimInterleaved, EveryElementGoesToExactlyOne) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  for (const std::uint16_t lap : std::initializer_list<std::uint16_t>{1, 0xffff}) {
    for (const std::uint32_t block : {1U, 2U}) {
      const auto once = [&](Schedule::Chooser choose) {
        return each_element_once(lap, block, std::move(choose));
      };
      ASSERT_TRUE(test::explore_then_sample(1200, 800, seed, once));
    }
  }
}

}  // namespace
}  // namespace procpool::shm
