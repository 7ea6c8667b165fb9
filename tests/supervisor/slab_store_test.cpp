// The memories of large calls: those that a pool has, and what a worker has mapped of them.
#include <memory>
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
