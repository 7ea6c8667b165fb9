#include "shm/slots.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "shm/layout.hpp"
#include "tests/support/interleave.hpp"

namespace procpool::shm {
namespace {

using test::ChosenWord;
using test::End;
using test::Schedule;

TEST(Slots, NothingIsVisibleBeforePublish) {
  std::array<int, 4> slots{};
  Word64 tail{0};
  SlotWriter<int, Word64> writer(slots, tail);
  SlotReader<int, Word64> reader(slots, tail);
  writer.next() = 7;
  EXPECT_FALSE(reader.visible());
  EXPECT_EQ(writer.publish(), 0U);
  EXPECT_EQ(tail.load(), 1U);
  EXPECT_EQ(writer.published(), 1U);
  ASSERT_TRUE(reader.visible());
  EXPECT_EQ(reader.current(), 7);
  EXPECT_EQ(reader.sequence(), 0U);
  reader.pass();
  EXPECT_FALSE(reader.visible());
}

TEST(Slots, SequenceGoesOnAroundTheRing) {
  std::array<int, 4> slots{};
  Word64 tail{0};
  SlotWriter<int, Word64> writer(slots, tail);
  SlotReader<int, Word64> reader(slots, tail);
  for (int i = 0; i != 11; ++i) {
    EXPECT_EQ(&writer.next(), &slots[static_cast<std::size_t>(i) % 4]);
    writer.next() = i;
    writer.publish();
    ASSERT_TRUE(reader.visible());
    EXPECT_EQ(reader.current(), i);
    EXPECT_EQ(reader.sequence(), static_cast<std::uint64_t>(i));
    reader.pass();
  }
}

TEST(Slots, AllSlotsAtOnce) {
  std::array<int, 4> slots{};
  Word64 tail{0};
  SlotWriter<int, Word64> writer(slots, tail);
  SlotReader<int, Word64> reader(slots, tail);
  for (int i = 0; i != 4; ++i) {
    writer.next() = i;
    writer.publish();
  }
  for (int i = 0; i != 4; ++i, reader.pass()) {
    ASSERT_TRUE(reader.visible());
    EXPECT_EQ(reader.current(), i);
  }
  EXPECT_FALSE(reader.visible());
}

bool in_order(Schedule::Chooser choose) {
  std::array<int, 2> slots{};
  ChosenWord<std::uint64_t> tail;
  std::vector<int> seen;
  const auto write = [&] {
    SlotWriter<int, ChosenWord<std::uint64_t>> writer(slots, tail);
    for (int i = 1; i != 4; ++i) {
      if (i == 3) test::sleep_until([&] { return !seen.empty(); });
      writer.next() = i;
      writer.publish();
    }
  };
  const auto read = [&] {
    SlotReader<int, ChosenWord<std::uint64_t>> reader(slots, tail);
    while (seen.size() != 3) {
      test::sleep_until([&] { return tail.memory() > reader.sequence(); });
      while (reader.visible()) {
        const int copy = reader.current();
        reader.pass();
        seen.push_back(copy);
      }
    }
  };
  const End end = Schedule({write, read}, std::move(choose)).run();
  EXPECT_EQ(end, End::finished);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
  return end == End::finished && seen == std::vector<int>{1, 2, 3};
}

TEST(SlotsInterleaved, ReadInOrderAndWhole) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  EXPECT_TRUE(test::explore_then_sample(1500, 500, seed, in_order));
}

}  // namespace
}  // namespace procpool::shm
