// Large calls and results use the same memory again: the parts alone, of the store to the worker.
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "channel/rooms.hpp"
#include "channel/slab_store.hpp"
#include "channel/worker_slabs.hpp"

namespace procpool::test {
namespace {

using channel::Rooms;
using channel::Slab;
using channel::SlabStore;
using channel::WorkerSlabs;

constexpr std::uint64_t MiB = 1 << 20;

// ---- slabs of calls ------------------------------------------------------------------------------

std::shared_ptr<SlabStore> store_for(int workers, bool reuses = true) {
  return std::make_shared<SlabStore>(workers, reuses);
}
std::uint32_t number_of_next(SlabStore& store, std::uint64_t bytes, bool growing = false) {
  return store.take(bytes, growing)->number;
}

TEST(SlabStores, WhatCameBackLastAndFitsBestIsLentAgain) {
  const auto store = store_for(2);
  auto small = store->take(MiB);
  auto medium = store->take(2 * MiB);
  auto other = store->take(2 * MiB);
  auto large = store->take(4 * MiB);
  const std::set numbers{small->number, medium->number, other->number, large->number};
  EXPECT_EQ(numbers.size(), 4u);
  const std::uint32_t last = medium->number;
  small.reset();
  large.reset();
  other.reset();
  medium.reset();
  EXPECT_EQ(number_of_next(*store, MiB + MiB / 2), last);
  EXPECT_FALSE(numbers.contains(number_of_next(*store, 8 * MiB)));
}

TEST(SlabStores, WhatGrowsGetsTheSmallestThatIsFourTimesAsLargeOrElseThatFits) {
  const auto store = store_for(2);
  std::vector<std::shared_ptr<Slab>> all;
  for (const std::uint64_t size : {1, 2, 8, 16}) all.push_back(store->take(size * MiB));
  const std::uint32_t two = all[1]->number;
  const std::uint32_t eight = all[2]->number;
  const std::uint32_t sixteen = all[3]->number;
  all.clear();
  EXPECT_EQ(number_of_next(*store, MiB / 2, true), two);
  EXPECT_EQ(number_of_next(*store, 2 * MiB, true), eight);
  EXPECT_EQ(number_of_next(*store, 6 * MiB, true), eight);
  EXPECT_EQ(number_of_next(*store, 9 * MiB, true), sixteen);
}

TEST(SlabStores, OneThatIsUsedForLittleIsNotKeptForThat) {
  for (const bool growing : {false, true}) {
    const auto store = store_for(2);
    store->take(32 * MiB);
    const Deadline then = Clock::now();
    store->take(MiB, growing);
    std::vector<std::shared_ptr<Slab>> old;
    Deadline next = never;
    store->trim(then + channel::slab_keep_time, next, old);
    EXPECT_EQ(old.size(), 1u);
    EXPECT_EQ(store->free_count(), 0u);
    store->take(32 * MiB);
    const Deadline later = Clock::now();
    store->take(8 * MiB, growing);
    store->trim(later + channel::slab_keep_time, next, old);
    EXPECT_EQ(old.size(), 1u);
  }
}

TEST(SlabStores, OneThatFitsIsForALittleMoreToo) {
  for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{4096}, std::uint64_t{100'000}, MiB,
                                    64 * MiB + 8, (std::uint64_t{1} << 40) - 1}) {
    const std::uint64_t size = channel::slab_size(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_LE(size, bytes + bytes / 8 + 4 * shm::page) << bytes;
    EXPECT_EQ(size % shm::page, 0u);
  }
  EXPECT_LE(channel::slab_size(~std::uint64_t{0}), ~std::uint64_t{0});
}

TEST(SlabStores, NoMoreIsKeptThanOneForEachWorkerAndOne) {
  const auto store = store_for(2);
  std::vector<std::shared_ptr<Slab>> lent;
  for (int i = 0; i != 6; ++i) lent.push_back(store->take(32 * MiB));
  lent.clear();
  EXPECT_EQ(store->free_bytes(), 3 * 32 * MiB);
  for (int i = 0; i != 40; ++i) lent.push_back(store->take(shm::page));
  lent.clear();
  EXPECT_LE(store->free_count(), 10u);
}

TEST(SlabStores, WhatNobodyUsedForAWhileGoes) {
  const auto store = store_for(2);
  store->take(MiB);
  const Deadline now = Clock::now();
  std::vector<std::shared_ptr<Slab>> old;
  Deadline next = never;
  store->trim(now, next, old);
  EXPECT_TRUE(old.empty());
  EXPECT_LE(next, now + channel::slab_keep_time);
  next = never;
  store->trim(now + channel::slab_keep_time, next, old);
  EXPECT_EQ(old.size(), 1u);
  EXPECT_EQ(next, never);
  EXPECT_EQ(store->free_bytes(), 0u);
}

TEST(SlabStores, WhatIsLentIsWatchedUntilItHasComeBackAndGone) {
  const auto store = store_for(2);
  EXPECT_FALSE(store->begin_watch());
  auto lent = store->take(MiB);
  EXPECT_TRUE(store->begin_watch());
  EXPECT_FALSE(store->begin_watch());
  const Deadline later = Clock::now() + 10 * channel::slab_keep_time;
  std::vector<std::shared_ptr<Slab>> old;
  Deadline next = never;
  store->trim(later, next, old);
  EXPECT_LE(next, later + channel::slab_keep_time);
  lent.reset();
  next = never;
  store->trim(later, next, old);
  EXPECT_EQ(old.size(), 1u);
  EXPECT_EQ(next, never);
  lent = store->take(MiB);
  EXPECT_TRUE(store->begin_watch());
}

TEST(SlabStores, OnceWorkersAreKilledNothingIsUsedAgain) {
  const auto store = store_for(2);
  const std::uint32_t free = number_of_next(*store, MiB);
  auto lent = store->take(2 * MiB);
  store->stop_reuse();
  EXPECT_NE(number_of_next(*store, MiB), free);
  lent.reset();
  EXPECT_EQ(store->free_bytes(), channel::slab_size(MiB));
}

TEST(SlabStores, UnderASandboxAndAfterTheEndNothingIsKept) {
  const auto sandboxed = store_for(2, false);
  sandboxed->take(MiB);
  EXPECT_EQ(sandboxed->free_count(), 0u);
  auto store = store_for(2);
  store->take(MiB);
  auto lent = store->take(2 * MiB);
  store->close();
  EXPECT_EQ(store->free_count(), 0u);
  lent.reset();
  EXPECT_EQ(store->free_count(), 0u);
  lent = store->take(MiB);  // whoever does not know yet
  store.reset();
  lent->mapping.data()[MiB - 1] = std::byte{1};
}

// ---- rooms ---------------------------------------------------------------------------------------

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
  rooms_->trim(then + channel::slab_keep_time, next, old);
  EXPECT_EQ(old.size(), 1u);
  give(MiB);
  const Deadline later = Clock::now();
  send(number, MiB / 4);
  rooms_->trim(later + channel::slab_keep_time, next, old);
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
  rooms_->trim(now, next, old);
  EXPECT_TRUE(old.empty());
  EXPECT_LE(next, now + channel::slab_keep_time);
  rooms_->trim(now + channel::slab_keep_time, next, old);
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
  rooms_->trim(now, next, old);
  EXPECT_LE(next, now + channel::slab_keep_time);
  next = never;
  rooms_->trim(now + channel::slab_keep_time, next, old);  // it will not come back
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

// ---- what a worker has of calls ------------------------------------------------------------------

TEST(WorkerSlab, ThatIsDroppedStaysForTheCurrentCall) {
  const Rooms::Given given{};
  WorkerSlabs slabs(given);
  slabs.take_in(2, os::make_memory("procpool-call", shm::page));
  slabs.drop(2);
  EXPECT_NE(slabs.find(2), nullptr);
  slabs.take_in(2, os::make_memory("procpool-call", shm::page));  // it is needed again
  slabs.pass();
  EXPECT_NE(slabs.find(2), nullptr);
  slabs.drop(2);
  slabs.pass();
  EXPECT_EQ(slabs.find(2), nullptr);
}

}  // namespace
}  // namespace procpool::test
