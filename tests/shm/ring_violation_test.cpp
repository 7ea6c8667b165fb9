// The result ring against a producer that writes anything.
#include "shm/ring.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "shm/layout.hpp"
#include "tests/shm/ring_ends.hpp"

namespace procpool::shm {
namespace {

class RingViolation : public testing::Test {
 protected:
  void expect_violation() {
    EXPECT_EQ(ring_.reader.peek(ring_.record), Look::violation);
    ring_.reader.pop();
    EXPECT_FALSE(ring_.reader.publish());
  }
  Ends ring_{64};
};

TEST_F(RingViolation, TailPastTheBuffer) {
  ring_.tail = 72;
  expect_violation();
}
TEST_F(RingViolation, TailNotAligned) {
  ring_.place(0, {0, 1});
  ring_.tail = 12;
  expect_violation();
}
TEST_F(RingViolation, TailAtTheEndOfNumbers) {
  ring_.tail = ~std::uint64_t{7};
  expect_violation();
}
TEST_F(RingViolation, TailThatGoesBack) {
  ring_.put(1, 8);
  ring_.got(1, 8);
  ring_.tail = 8;
  expect_violation();
}
TEST_F(RingViolation, SizePastTheTail) {
  ring_.place(0, {9, 1});
  ring_.tail = 16;
  expect_violation();
}
TEST_F(RingViolation, SizePastTheEnd) {
  ring_.advance(40);
  ring_.place(40, {24, 1});
  ring_.tail = 40 + 64;
  expect_violation();
}
TEST_F(RingViolation, LargestSizeOfAll) {
  ring_.place(0, {0xffffffff, 1});
  ring_.tail = 64;
  expect_violation();
}
TEST_F(RingViolation, PaddingBeforeTheEnd) {
  ring_.place(0, {8, padding_kind});
  ring_.place(16, {8, 1});
  ring_.tail = 32;
  expect_violation();
}
TEST_F(RingViolation, PaddingAndNothingElse) {
  ring_.place(0, {56, padding_kind});
  ring_.tail = 64;
  EXPECT_EQ(ring_.reader.peek(ring_.record), Look::violation);
}
TEST_F(RingViolation, IsFinal) {
  ring_.tail = 12;
  expect_violation();
  ring_.place(0, {8, 1});
  ring_.tail = 16;
  expect_violation();
}

/// Publishes a whole ring of padding more whenever it is looked at.
struct RunawayTail {
  std::uint64_t load(std::memory_order) const { return value += 64; }
  void store(std::uint64_t, std::memory_order) {}
  mutable std::uint64_t value = 0;
};

TEST(RingHostile, PaddingWithoutEndDoesNotHoldTheReader) {
  std::vector<std::byte> bytes(64);
  const RecordHeader padding{56, padding_kind};
  std::memcpy(bytes.data(), &padding, sizeof padding);
  RunawayTail tail, head;
  RingReader<RunawayTail> reader(bytes, tail, head);
  RingReader<RunawayTail>::Record record;
  EXPECT_EQ(reader.peek(record), Look::violation);
}

/// Something for the producer to write: often nearly right.
RecordHeader odd_header(std::mt19937& random) {
  constexpr std::uint32_t sizes[] = {0, 1, 8, 24, 56, 120, 0x7fffffff, 0xfffffff8, 0xffffffff};
  return {random() % 2 == 0 ? sizes[random() % std::size(sizes)]
                            : static_cast<std::uint32_t>(random() % 130),
          random() % 4 == 0 ? padding_kind : static_cast<std::uint32_t>(random() % 3)};
}
std::uint64_t odd_tail(std::mt19937& random, std::uint64_t tail) {
  switch (random() % 12) {
    case 0:
      return tail + random() % 160;
    case 1:
      return tail - random() % 32;
    case 2:
      return std::uint64_t{random()} << 32 | random();
    default:
      return tail + random() % 5 * 8;
  }
}

TEST(RingHostile, AnyBytesAndTailsEndInRecordEmptyOrViolation) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  unsigned sum = 0;
  int seen[3] = {};
  for (int run = 0; run != 20000; ++run) {
    Ends ring(128);
    for (int step = 0; step != 30; ++step) {
      ring.place(random() % 16 * 8, odd_header(random));
      ring.bytes[random() % 128] = static_cast<std::byte>(random());
      ring.tail = odd_tail(random, ring.tail);
      const Look look = ring.reader.peek(ring.record);
      ++seen[static_cast<int>(look)];
      if (look == Look::violation) break;
      if (look == Look::record) {
        ring.place(random() % 16 * 8, odd_header(random));  // after the check, before the copy
        ASSERT_GE(ring.record.payload.data(), ring.bytes.data());
        ASSERT_LE(ring.record.payload.data() + ring.record.payload.size(), ring.bytes.data() + 128);
        for (const std::byte each : ring.record.payload) sum += static_cast<unsigned>(each);
        ring.reader.pop();
      }
      ASSERT_TRUE(look == Look::record || look == Look::empty);
      if (random() % 2 == 0) ring.reader.publish();
    }
  }
  for (const int count : seen) EXPECT_GT(count, 100) << sum;
}

}  // namespace
}  // namespace procpool::shm
