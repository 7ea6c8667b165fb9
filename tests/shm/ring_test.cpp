// The result ring: exact bytes and positions, and every interleaving of its two ends.
#include "shm/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <span>

#include "shm/layout.hpp"
#include "tests/shm/ring_ends.hpp"
#include "tests/support/interleave.hpp"

namespace procpool::shm {
namespace {

using test::End;
using test::Schedule;
using Chosen64 = test::ChosenWord<std::uint64_t>;

TEST(Ring, RecordLiesAsDrawn) {
  Ends ring(128);
  ASSERT_TRUE(ring.put(5, 3));
  EXPECT_EQ(ring.tail.load(), 16U);
  EXPECT_EQ(ring.header(0).size, 3U);
  EXPECT_EQ(ring.header(0).kind, 5U);
  EXPECT_EQ(ring.bytes[10], std::byte{5});
  EXPECT_TRUE(ring.got(5, 3));
  EXPECT_EQ(ring.head.load(), 16U);
}

TEST(Ring, EmptyUntilCommitted) {
  Ends ring(128);
  EXPECT_EQ(ring.reader.peek(ring.record), Look::empty);
  ring.writer.reserve(8);
  EXPECT_FALSE(ring.reader.visible());
  EXPECT_EQ(ring.reader.peek(ring.record), Look::empty);
  ring.writer.commit(1, 8);
  EXPECT_TRUE(ring.reader.visible());
  EXPECT_EQ(ring.reader.peek(ring.record), Look::record);
}

TEST(Ring, PeekTwiceIsTheSameRecordAndPopWithoutPeekNothing) {
  Ends ring(128);
  ring.put(1, 8);
  ring.put(2, 8);
  ring.reader.peek(ring.record);
  ring.reader.peek(ring.record);
  EXPECT_EQ(ring.record.kind, 1U);
  ring.reader.pop();
  ring.reader.pop();
  EXPECT_TRUE(ring.got(2, 8));
}

TEST(Ring, PayloadOfNoBytes) {
  Ends ring(64);
  for (std::uint32_t kind = 0; kind != 20; ++kind) {
    ASSERT_FALSE(ring.writer.reserve(1).empty());
    ring.writer.commit(kind, 0);
    EXPECT_TRUE(kind > 6 || ring.tail.load() == 8U * (kind + 1));
    EXPECT_TRUE(ring.got(kind, 0));
  }
}

TEST(Ring, ExactlyFullThenOneRead) {
  Ends ring(64);
  for (std::uint32_t kind = 0; kind != 4; ++kind) ASSERT_TRUE(ring.put(kind, 8));
  EXPECT_FALSE(ring.put(4, 1));
  EXPECT_EQ(ring.tail.load(), 64U);
  EXPECT_TRUE(ring.got(0, 8));
  EXPECT_TRUE(ring.put(4, 8));
  EXPECT_FALSE(ring.put(5, 1));
  for (std::uint32_t kind = 1; kind != 5; ++kind) EXPECT_TRUE(ring.got(kind, 8));
  EXPECT_EQ(ring.reader.peek(ring.record), Look::empty);
}

TEST(Ring, RoomIsOnlyWhatTheReaderPublished) {
  Ends ring(64);
  for (std::uint32_t kind = 0; kind != 4; ++kind) ring.put(kind, 8);
  ring.reader.peek(ring.record);
  ring.reader.pop();
  EXPECT_FALSE(ring.put(4, 8));
  EXPECT_TRUE(ring.reader.publish());
  EXPECT_FALSE(ring.reader.publish()) << "nothing moved";
  EXPECT_TRUE(ring.put(4, 8));
}

TEST(Ring, RecordThatEndsAtTheEndNeedsNoPadding) {
  Ends ring(64);
  ring.advance(40);
  ASSERT_TRUE(ring.put(1, 16));
  EXPECT_EQ(ring.tail.load(), 64U);
  EXPECT_TRUE(ring.got(1, 16));
}

TEST(Ring, PaddingFillsTheEnd) {
  Ends ring(64);
  ring.advance(40);
  ASSERT_TRUE(ring.put(1, 17));
  EXPECT_EQ(ring.tail.load(), 64U + 32);
  EXPECT_EQ(ring.header(40).kind, padding_kind);
  EXPECT_EQ(ring.header(40).size, 16U);
  EXPECT_EQ(ring.header(0).size, 17U);
  EXPECT_TRUE(ring.got(1, 17));
  EXPECT_EQ(ring.head.load(), 64U + 32);
}

TEST(Ring, LargestPayloadFitsFromEveryPosition) {
  for (std::size_t at = 16; at != 256; at += 8) {
    Ends ring(128);
    ring.advance(at);
    ASSERT_TRUE(ring.put(1, max_payload(128))) << at;
    ASSERT_TRUE(ring.got(1, max_payload(128))) << at;
  }
}

TEST(Ring, ReservedTwiceTheLastCounts) {
  Ends ring(64);
  ring.advance(40);
  ASSERT_FALSE(ring.writer.reserve(24).empty()) << "with padding";
  const auto small = ring.writer.reserve(8);
  ASSERT_EQ(small.data(), ring.bytes.data() + 48) << "without";
  ring.writer.commit(1, 8);
  EXPECT_EQ(ring.tail.load(), 56U);
}

TEST(Ring, ReservationStandsWhenALargerOneFails) {
  Ends ring(64);
  ring.advance(40);
  ASSERT_TRUE(ring.put(9, 1));  // 40 to 56, still unread
  const auto room = ring.writer.reserve(1);
  ASSERT_TRUE(room.empty() || room.data() == ring.bytes.data() + 8) << "padded";
  ASSERT_FALSE(room.empty());
  ring.writer.commit(1, 1);
  Ends other(64);
  other.advance(32);
  ASSERT_TRUE(other.put(9, 1));
  const auto first = other.writer.reserve(8);  // 48 to 64
  ASSERT_TRUE(other.writer.reserve(56).empty());
  std::memset(first.data(), 1, 8);
  other.writer.commit(1, 8);
  EXPECT_TRUE(other.got(9, 1));
  EXPECT_TRUE(other.got(1, 8));
}

TEST(Ring, CommittedSmallerThanReserved) {
  Ends ring(128);
  std::memset(ring.writer.reserve(48).data(), 3, 48);
  ring.writer.commit(3, 9);
  EXPECT_EQ(ring.tail.load(), 24U);
  EXPECT_TRUE(ring.got(3, 9));
}

/// Records of changing sizes through a ring so small that it wraps and fills.
bool whole_and_in_order(Schedule::Chooser choose) {
  std::array<std::byte, 48> bytes{};
  Chosen64 tail, head;
  constexpr std::uint32_t sizes[] = {8, 16, 9};
  int good = 0;
  const auto write = [&] {
    RingWriter<Chosen64> writer(bytes, tail, head);
    for (std::uint32_t i = 0; i != std::size(sizes); ++i) {
      std::span<std::byte> room;
      while ((room = writer.reserve(sizes[i])).empty()) {
        const auto seen = head.memory();
        if (writer.reserve(sizes[i]).empty()) {
          test::sleep_until(
              [&, seen] { return head.memory() != seen || head.memory() == tail.memory(); });
        }
      }
      std::memset(room.data(), static_cast<int>(i + 1), room.size());
      writer.commit(i, sizes[i]);
    }
  };
  const auto read = [&] {
    RingReader<Chosen64> reader(bytes, tail, head);
    RingReader<Chosen64>::Record record;
    for (std::uint32_t i = 0; i != std::size(sizes); ++i) {
      test::sleep_until([&] { return tail.memory() != head.memory(); });
      if (reader.peek(record) != Look::record) return;
      test::chosen_point();
      bool same = record.kind == i && record.payload.size() == sizes[i];
      for (const std::byte each : record.payload) same = same && each == std::byte(i + 1);
      good += same;
      reader.pop();
      reader.publish();
    }
  };
  const End end = Schedule({write, read}, std::move(choose)).run();
  EXPECT_EQ(end, End::finished);
  EXPECT_EQ(good, 3);
  return end == End::finished && good == 3;
}

TEST(RingInterleaved, NeverTorn) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  EXPECT_TRUE(test::explore_then_sample(1500, 2500, seed, whole_and_in_order));
}

}  // namespace
}  // namespace procpool::shm
