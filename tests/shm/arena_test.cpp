#include "shm/arena.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "shm/layout.hpp"

namespace procpool::shm {
namespace {

using Small = Arena<256>;  // four granules

TEST(Arena, HandsOutEveryGranuleThenNothing) {
  Small arena;
  EXPECT_EQ(arena.allocate(1), 0U);
  EXPECT_EQ(arena.allocate(64), 64U);
  EXPECT_EQ(arena.allocate(65), 128U);
  EXPECT_EQ(arena.allocate(1), std::nullopt);
  EXPECT_FALSE(arena.empty());
}

TEST(Arena, FreeInAnyOrderJoinsNeighbours) {
  Small arena;
  for (int i = 0; i != 4; ++i) arena.allocate(64);
  arena.free(128, 64);
  EXPECT_EQ(arena.allocate(65), std::nullopt);
  arena.free(64, 64);
  EXPECT_EQ(arena.allocate(128), 64U);
  arena.free(64, 128);
  arena.free(192, 64);
  arena.free(0, 64);
  EXPECT_TRUE(arena.empty());
  EXPECT_EQ(arena.allocate(256), 0U);
}

TEST(Arena, GoesOnWhereItStoppedAndFindsWhatLiesAcross) {
  Small arena;
  arena.allocate(64);
  arena.allocate(64);
  arena.free(0, 64);
  EXPECT_EQ(arena.allocate(64), 128U) << "not the place just freed";
  arena.free(64, 64);
  arena.free(128, 64);
  EXPECT_EQ(arena.allocate(192), 0U) << "the hand is inside this run";
}

TEST(Arena, NothingAtAllHasAPlaceOfItsOwn) {
  Small arena;
  EXPECT_EQ(arena.allocate(0), 0U);
  EXPECT_EQ(arena.allocate(0), 64U);
  arena.free(0, 0);
  arena.free(64, 0);
  EXPECT_TRUE(arena.empty());
}

TEST(Arena, AbsurdSizesDoNotWrapAround) {
  Small arena;
  EXPECT_EQ(arena.allocate(257), std::nullopt);
  EXPECT_EQ(arena.allocate(~std::size_t{0}), std::nullopt);
  EXPECT_EQ(arena.allocate(~std::size_t{0} - 63), std::nullopt);
  EXPECT_TRUE(arena.empty());
}

/// Blocks as they should be: offset → end, never overlapping.
bool overlaps(const std::map<std::size_t, std::size_t>& blocks, std::size_t from, std::size_t to) {
  const auto after = blocks.lower_bound(from);
  if (after != blocks.end() && after->first < to) return true;
  return after != blocks.begin() && std::prev(after)->second > from;
}

TEST(ArenaSoak, BlocksNeverOverlapAndNothingIsLost) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  using Whole = Arena<arena_bytes>;
  Whole arena;
  std::map<std::size_t, std::size_t> blocks;
  const auto free_one = [&](auto block) {
    arena.free(static_cast<std::uint32_t>(block->first), block->second - block->first);
    blocks.erase(block);
  };
  for (int i = 0; i != 30000; ++i) {
    const std::size_t size =
        random() % 20 == 0 ? random() % Whole::largest + 1 : random() % 300 + 1;
    if (const auto at = arena.allocate(size)) {
      ASSERT_EQ(*at % Whole::granule, 0U);
      ASSERT_LE(*at + size, arena_bytes);
      ASSERT_FALSE(overlaps(blocks, *at, *at + size));
      blocks[*at] = *at + size;
    } else {
      ASSERT_FALSE(blocks.empty());
      free_one(blocks.begin());
    }
    if (random() % 2 == 0 && !blocks.empty()) {
      free_one(std::next(blocks.begin(), static_cast<long>(random() % blocks.size())));
    }
  }
  while (!blocks.empty()) free_one(blocks.begin());
  EXPECT_TRUE(arena.empty());
}

}  // namespace
}  // namespace procpool::shm
