// Who waits for room while too many bytes are pending. A call here is 8 bytes, and so is each element
// of a map.
#include <thread>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

class Room : public testing::Test {
 protected:
  ~Room() override {
    gate_.open();
    other_gate_.open();
  }

  bool small_one_is_taken() {
    const auto call = Ref<Call>::adopt(new Call(1));
    if (!pool_.core().submit(*call, detail::Admission::decline)) return false;
    EXPECT_EQ(value(*call), 1u);
    return true;
  }

  Gate gate_;        // of call 0
  Gate other_gate_;  // of call 9
  FakePool pool_{2,
                 {.run =
                      [this](const Element& e) {
                        if (e.id == 0) gate_.pass(e.killed);
                        if (e.id == 9) other_gate_.pass(e.killed);
                        return Act::value;
                      }},
                 [](supervisor::Settings& s) { s.max_pending_bytes = 80; }};
};

// There is always room for the small ones, each of which ends before the next comes, and never for
// the large one beside the first.
TEST_F(Room, ALargeOneIsNotOvertakenByAStreamOfSmallOnes) {
  pool_.started();
  const auto first = pool_.submit(0);
  Ref<Map> large;
  std::thread submitter([&] { large = pool_.map(100, 10, 5); });
  EXPECT_TRUE(comes_true([&] { return !small_one_is_taken(); }));
  Ref<Call> behind;
  std::thread follower([&] { behind = pool_.submit(2); });
  EXPECT_FALSE(small_one_is_taken());
  gate_.open();
  submitter.join();
  follower.join();
  EXPECT_LT(large->id, behind->id);
  EXPECT_EQ(values(*large).size(), 10u);
  EXPECT_EQ(value(*behind), 2u);
  EXPECT_TRUE(comes_true([&] { return small_one_is_taken(); }));
}

// None of them ends before all have come in.
TEST_F(Room, AllThatWaitComeInAsSoonAsThereIsRoomForThem) {
  pool_.started();
  const auto batch = pool_.map(0, 9, 9);
  const auto full = pool_.submit(9);
  EXPECT_FALSE(small_one_is_taken());
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  threads.emplace_back([&] { wait(*full); });  // it leads: those who leave the line promote nobody
  EXPECT_FALSE(pool_.core().wait(*full, Clock::now() + 5ms));
  for (int i = 0; i != 5; ++i) {
    threads.emplace_back([&] {
      const auto call = pool_.submit(9);
      ++taken;
      EXPECT_EQ(value(*call), 9u);
    });
  }
  EXPECT_FALSE(pool_.core().wait(*full, Clock::now() + 20ms));  // they stand in line meanwhile
  gate_.open();
  EXPECT_TRUE(comes_true([&] { return taken == 5; }));
  other_gate_.open();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value(*full), 9u);
  EXPECT_EQ(pool_.core().stats().pending_bytes, 0u);
}

TEST_F(Room, TheEndOfThePoolLetsAllGo) {
  pool_.started();
  const auto first = pool_.submit(0);
  std::vector<std::thread> threads;
  threads.emplace_back([&] { EXPECT_THROW(pool_.map(200, 10, 10), PoolClosed); });
  EXPECT_TRUE(comes_true([&] { return !small_one_is_taken(); }));
  for (int i = 0; i != 3; ++i) {
    threads.emplace_back([&] { EXPECT_THROW(pool_.submit(3), PoolClosed); });
  }
  pool_.core().close();
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(first->done());
}

}  // namespace
}  // namespace procpool::test
