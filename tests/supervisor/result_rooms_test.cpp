// The memories of one worker's large results, both ends alone.
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "channel/rooms.hpp"
#include "channel/worker_slabs.hpp"

namespace procpool::test {
namespace {

using channel::Rooms;
using channel::Slab;
using channel::WorkerSlabs;

constexpr std::uint64_t MiB = 1 << 20;

// Both ends over one set of words.
class ResultRoom : public testing::Test {
 protected:
  std::uint32_t give(std::uint64_t bytes) {
    const auto room = Rooms::make(bytes);
    rooms_->put(room);
    worker_.put({room->number, {}, os::Mapping(room->memory, os::Access::read_write)});
    return room->number;
  }
  std::optional<detail::Part::Lent> send(std::uint32_t number, std::uint64_t size = 1) {
    worker_.sent(number);
    return rooms_->lend(number, size);
  }
  std::uint32_t free_room(std::uint64_t bytes, bool growing = false) {
    const auto room = worker_.free_room(bytes, growing);
    return room ? room->number : 0;
  }

  Rooms::Given given_{};
  std::shared_ptr<Rooms> rooms_ = std::make_shared<Rooms>(given_);
  WorkerSlabs worker_{given_};
};

TEST_F(ResultRoom, IsTheWorkersUntilAnOutcomeIsSentAndAgainWhenThatIsRead) {
  const std::uint32_t number = give(MiB);
  EXPECT_TRUE(rooms_->has_unused(MiB));
  EXPECT_FALSE(rooms_->has_unused(2 * MiB));
  EXPECT_EQ(free_room(MiB), number);
  EXPECT_EQ(free_room(2 * MiB), 0u);
  worker_.free_room(MiB, false)->bytes[5] = std::byte{7};
  auto lent = send(number, MiB);
  ASSERT_TRUE(lent);
  EXPECT_EQ(lent->bytes.size(), MiB);
  EXPECT_EQ(lent->bytes[5], std::byte{7});
  EXPECT_EQ(free_room(MiB), 0u);
  EXPECT_FALSE(rooms_->has_unused(MiB));
  EXPECT_FALSE(rooms_->lend(number, 1));
  lent.reset();
  EXPECT_EQ(free_room(MiB), number);
}

TEST_F(ResultRoom, TooSmallGoesForALargerOneAndWhatIsLentStays) {
  const std::uint32_t kept = give(MiB);
  auto lent = send(kept);
  const std::uint32_t small = give(MiB);
  EXPECT_NE(small, kept);
  EXPECT_EQ(give(2 * MiB), small);  // at its place
  EXPECT_EQ(free_room(MiB), small);
  EXPECT_EQ(free_room(2 * MiB), small);
  lent.reset();
  EXPECT_EQ(free_room(MiB), kept);
  EXPECT_EQ(free_room(MiB / 2, true), small);
  EXPECT_EQ(free_room(MiB / 4, true), kept);
}

TEST_F(ResultRoom, ThatIsUsedForLittleIsNotKeptForThat) {
  const std::uint32_t number = give(MiB);
  const Deadline then = Clock::now();
  send(number, MiB / 8);
  std::vector<std::shared_ptr<Slab>> old;
  Deadline next = never;
  rooms_->trim(then + channel::slab_keep_time, true, next, old);
  EXPECT_EQ(old.size(), 1u);
  give(MiB);
  const Deadline later = Clock::now();
  send(number, MiB / 4);
  rooms_->trim(later + channel::slab_keep_time, true, next, old);
  EXPECT_EQ(old.size(), 1u);
}

TEST_F(ResultRoom, WhenAllAreLentTheOldestBecomesItsOutcomesOwn) {
  std::vector<detail::Part::Lent> lent;
  for (std::size_t i = 0; i != shm::room_count; ++i) lent.push_back(*send(give(MiB)));
  const std::uint32_t again = give(MiB);
  EXPECT_EQ(again, channel::room_number(0));
  worker_.free_room(MiB, false)->bytes[0] = std::byte{9};
  EXPECT_EQ(lent[0].bytes[0], std::byte{0});
  lent[0] = {};
  EXPECT_TRUE(send(again));
}

TEST_F(ResultRoom, OfThoseThatComeBackAtOnceFewAreKept) {
  std::vector<detail::Part::Lent> lent;
  for (std::size_t i = 0; i != shm::room_count; ++i) lent.push_back(*send(give(MiB)));
  lent.clear();
  std::size_t free = 0;
  for (std::uint32_t number = free_room(MiB); number != 0; number = free_room(MiB)) {
    worker_.sent(number);
    ++free;
  }
  EXPECT_EQ(free, Rooms::most_free);
}

TEST_F(ResultRoom, ThatAnIdleWorkerDidNotUseForAWhileIsNotItsAnyMore) {
  const std::uint32_t number = give(MiB);
  auto lent = send(number);
  lent.reset();
  const Deadline now = Clock::now();
  std::vector<std::shared_ptr<Slab>> old;
  Deadline next = never;
  rooms_->trim(now, true, next, old);
  EXPECT_TRUE(old.empty());
  EXPECT_LE(next, now + channel::slab_keep_time);
  next = never;
  rooms_->trim(now + channel::slab_keep_time, false, next, old);  // it is writing there, perhaps
  EXPECT_TRUE(old.empty());
  EXPECT_NE(next, never);
  rooms_->trim(now + channel::slab_keep_time, true, next, old);
  ASSERT_EQ(old.size(), 1u);
  EXPECT_EQ(free_room(1), 0u);
  EXPECT_FALSE(rooms_->lend(number, 1));
  EXPECT_EQ(give(MiB), number);
  EXPECT_EQ(free_room(MiB), number);
}

TEST_F(ResultRoom, ThatIsLentIsLookedAtAgainWhenItCanHaveComeBack) {
  const std::uint32_t number = give(MiB);
  auto lent = send(number);
  const Deadline now = Clock::now();
  std::vector<std::shared_ptr<Slab>> old;
  Deadline next = never;
  rooms_->trim(now, true, next, old);
  EXPECT_LE(next, now + channel::slab_keep_time);
  next = never;
  rooms_->trim(now + channel::slab_keep_time, true, next, old);  // it will not come back
  EXPECT_EQ(next, never);
  EXPECT_TRUE(old.empty());
}

TEST_F(ResultRoom, OfAWorkerThatIsGoneLivesAsLongAsItsOutcome) {
  auto lent = send(give(MiB), MiB);
  rooms_->worker_is_gone();
  given_[0] = 77;
  EXPECT_EQ(lent->bytes[MiB - 1], std::byte{0});
  rooms_.reset();
  lent.reset();
  EXPECT_EQ(given_[0], 77u);
}

TEST_F(ResultRoom, TheWorkerCouldNotTakeIn) {
  const auto room = Rooms::make(MiB);
  rooms_->put(room);
  worker_.lose(room->number);
  EXPECT_TRUE(rooms_->lose(room->number));
  EXPECT_FALSE(rooms_->lose(room->number));
  EXPECT_EQ(free_room(1), 0u);
  const std::uint32_t number = give(MiB);
  EXPECT_EQ(free_room(1), number);
  send(number);
  EXPECT_FALSE(rooms_->lose(number));
}

}  // namespace
}  // namespace procpool::test
