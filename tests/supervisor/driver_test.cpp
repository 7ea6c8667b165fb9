// Who runs turns and how sleepers are woken (supervisor/driver.hpp), over turns that only count.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "fake_pool.hpp"
#include "supervisor/driver.hpp"

namespace procpool {

// A template made by fork goes on in the worker's code, which is not linked here.
inline namespace v0 {
[[noreturn]] void enter_template(int) noexcept { std::abort(); }
}  // namespace v0

namespace test {
namespace {

using detail::Waiter;
using detail::Waiters;
using supervisor::Driver;

// Work is a number that any turn brings to zero. Under the driver's lock.
struct Work final : supervisor::Turns {
  using Lock = std::unique_lock<std::mutex>;

  ~Work() {
    if (!background.joinable()) return;
    {
      Lock lock = driver.hold();
      ended = true;
      driver.kick_background();
    }
    background.join();
  }
  void run_background() {
    background = std::thread([this] {
      is_background = true;
      driver.run_background();
    });
  }

  void turn() override {
    ++(is_background ? background_turns : other_turns);
    if (only_background_works && !is_background) return;
    done += work;
    work = 0;
  }
  bool visible() override { return work != 0 || flooded; }
  void note(std::uint64_t key) override { last_key = key; }
  bool do_chore(Lock&) override { return false; }
  bool expects_more() const override { return false; }
  bool awaits_results() const override { return false; }
  void watch() override {}
  bool driven_in_passing() override { return false; }
  bool over() const override { return ended; }
  void let_go(Lock& lock) override { lock.unlock(); }

  // As a worker does: publishes, and rings nobody.
  void publish() {
    const Lock lock = driver.hold();
    ++work;
  }

  static inline thread_local bool is_background = false;

  shm::Word64 target = 0;
  Driver driver{*this, target};
  std::thread background;
  int work = 0;
  int done = 0;
  bool only_background_works = false;
  bool flooded = false;  // there is always something to see
  bool ended = false;
  std::atomic<int> background_turns = 0;
  std::atomic<int> other_turns = 0;
  std::atomic<std::uint64_t> last_key = 0;
};

struct Wish {
  bool fulfilled = false;
  Waiters waiters;
  std::atomic<int> waiting = 0;

  static bool satisfied(const void* self) { return static_cast<const Wish*>(self)->fulfilled; }
  bool wait(Work& work, Deadline until = never) {
    Work::Lock lock = work.driver.hold();
    Waiter waiter{.satisfied = satisfied, .subject = this};
    ++waiting;
    return work.driver.wait(lock, waiter, waiters, until);
  }
  void fulfil(Work& work) {
    const Work::Lock lock = work.driver.hold();
    fulfil_locked(work);
  }
  void fulfil_locked(Work& work) {
    fulfilled = true;
    for (Waiter* each = waiters.first; each != nullptr; each = each->next) work.driver.wake(*each);
  }
};

// The thread has announced that it waits, and given up the lock: it sleeps or is about to.
void until_waiting(Work& work, Wish& wish) {
  while (wish.waiting == 0) std::this_thread::yield();
  const auto lock = work.driver.hold();
}

TEST(Driver, ADeadlineThatHasPassedStillGivesOneTurn) {
  Work work;
  Wish wish;
  work.publish();
  EXPECT_FALSE(wish.wait(work, Clock::now() - 1s));
  EXPECT_EQ(work.done, 1);
}

TEST(Driver, ALeaderThatAlwaysSeesSomethingLetsOthersTakeTheLock) {
  Work work;
  Wish wish;
  work.flooded = true;
  std::thread leader([&] { EXPECT_TRUE(wish.wait(work)); });
  while (wish.waiting == 0) std::this_thread::yield();
  wish.fulfil(work);
  leader.join();
}

TEST(Driver, ABackgroundThatAlwaysSeesSomethingLetsOthersTakeTheLock) {
  Work work;
  work.flooded = true;
  work.run_background();
  while (work.background_turns == 0) std::this_thread::yield();
  const Work::Lock lock = work.driver.hold();
  work.ended = true;
}

TEST(Driver, ALeaderIsWokenWhenItsWishIsFulfilledByAnother) {
  Work work;
  Wish wish;
  std::thread leader([&] { EXPECT_TRUE(wish.wait(work)); });
  until_waiting(work, wish);
  wish.fulfil(work);
  leader.join();
}

TEST(Driver, AFollowerIsWokenWhenItsWishIsFulfilled) {
  Work work;
  Wish first, second;
  std::thread leader([&] { EXPECT_TRUE(first.wait(work)); });
  until_waiting(work, first);
  std::thread follower([&] { EXPECT_TRUE(second.wait(work)); });
  until_waiting(work, second);
  second.fulfil(work);
  follower.join();
  first.fulfil(work);
  leader.join();
}

TEST(Driver, ALeaderThatLeavesPromotesTheOldestFollower) {
  Work work;
  Wish first, second;
  std::thread leader([&] { EXPECT_TRUE(first.wait(work)); });
  until_waiting(work, first);
  std::thread follower([&] { EXPECT_TRUE(second.wait(work)); });
  until_waiting(work, second);
  const int before = work.other_turns;
  first.fulfil(work);
  leader.join();
  EXPECT_TRUE(comes_true([&] { return work.other_turns > before; }));
  second.fulfil(work);
  follower.join();
}

TEST(Driver, AFollowerLeavesAtItsDeadlineAndLeadershipStays) {
  Work work;
  Wish first, second;
  std::thread leader([&] { EXPECT_TRUE(first.wait(work)); });
  until_waiting(work, first);
  EXPECT_FALSE(second.wait(work, Clock::now() + 1ms));
  first.fulfil(work);
  leader.join();
}

// The model's `promoted_does_not_pass_on`: what is visible when a leader leaves is looked at by
// somebody, also when the follower that is promoted leaves at once.
TEST(Driver, APromotedFollowerThatLeavesAtOncePassesLeadershipOn) {
  Work work;
  work.only_background_works = true;
  work.run_background();
  Wish first, second;
  std::thread leader([&] { EXPECT_TRUE(first.wait(work)); });
  until_waiting(work, first);
  std::thread follower([&] { EXPECT_TRUE(second.wait(work)); });
  until_waiting(work, second);
  int before = 0;
  {
    const auto lock = work.driver.hold();
    before = work.background_turns;
    work.work = 1;  // published while the target was the leader, and not yet seen
    first.fulfil_locked(work);
    second.fulfilled = true;  // it will know when it is promoted, not before
  }
  leader.join();
  follower.join();
  EXPECT_TRUE(comes_true([&] { return work.background_turns > before; }));
}

TEST(Driver, TheEarliestOfTwoTimesComesFirstAndTheLaterStillComes) {
  Work work;
  Wish wish;
  {
    const auto lock = work.driver.hold();
    work.driver.at(Clock::now() + 1h);
    work.driver.at(Clock::now() + 1ms);
  }
  std::thread leader([&] { EXPECT_TRUE(wish.wait(work)); });
  EXPECT_TRUE(comes_true([&] { return work.last_key != 0; }));
  wish.fulfil(work);
  leader.join();
}

// Many threads, each with its own wish and a short deadline, fulfilled by whoever comes first.
TEST(Driver, ManyWaitersComeAndGo) {
  Work work;
  work.run_background();
  constexpr int count = 6;
  std::vector<std::thread> threads;
  std::atomic<int> fulfilled = 0;
  for (int i = 0; i != count; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round != 200; ++round) {
        Wish wish;
        if (round % 3 == 0) {
          EXPECT_FALSE(wish.wait(work, Clock::now() + 50us));
          continue;
        }
        std::thread other([&] { wish.fulfil(work); });
        EXPECT_TRUE(wish.wait(work));
        other.join();
        ++fulfilled;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(fulfilled, count * 133);
}

}  // namespace
}  // namespace test
}  // namespace procpool
