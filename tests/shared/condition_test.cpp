// Condition and Barrier between processes.
#include <mutex>

#include "shared/support.hpp"

namespace procpool::test {
namespace {

using SharedConditions = Census;
using SharedBarriers = Census;

struct Mailbox {
  Lock lock;
  Condition changed;
  SharedArray<int> letters{1};
  SharedArray<int> waiters{1};

  void wait_once() {
    std::unique_lock held(lock);
    ++waiters[0];
    changed.wait(held);
    ++letters[0];
  }
  // Until so many have begun to wait.
  void await_waiters(int count) {
    for (bool all = false; !all;) {
      const std::scoped_lock held(lock);
      all = waiters[0] == count;
    }
  }
};

TEST_F(SharedConditions, wait_for_a_predicate) {
  Mailbox box;
  Process reader([&] {
    std::unique_lock held(box.lock);
    box.changed.wait(held, [&] { return box.letters[0] == 3; });
    box.letters[0] = -1;
  });
  for (int i = 0; i != 3; ++i) {
    const std::scoped_lock held(box.lock);
    ++box.letters[0];
    box.changed.notify_one();
  }
  EXPECT_TRUE(reader.join());
  EXPECT_EQ(box.letters[0], -1);
}

TEST_F(SharedConditions, timeouts) {
  Mailbox box;
  std::unique_lock held(box.lock);
  EXPECT_FALSE(box.changed.wait_for(held, 5ms));
  EXPECT_TRUE(held.owns_lock());
  EXPECT_FALSE(box.changed.wait_for(held, 5ms, [] { return false; }));
  EXPECT_TRUE(box.changed.wait_for(held, std::chrono::hours::max(), [] { return true; }));
  EXPECT_FALSE(box.changed.wait_until(held, std::chrono::steady_clock::now() + 5ms));
  EXPECT_FALSE(box.changed.wait_until(held, std::chrono::system_clock::time_point::min()));
  EXPECT_FALSE(box.changed.wait_until(held, std::chrono::system_clock::now() + 5ms, [] { return false; }));
  EXPECT_FALSE(box.changed.wait_until(held, std::chrono::sys_seconds::min()));
  EXPECT_LT(detail::Time::clock::now() + 1000h, detail::time_at(std::chrono::sys_seconds::max()));
  EXPECT_LT(detail::Time::clock::now() + 1000h, detail::time_at(std::chrono::file_clock::time_point::max()));
  const auto end_of_time = std::chrono::system_clock::time_point::max();
  EXPECT_TRUE(box.changed.wait_until(held, end_of_time, [] { return true; }));
  EXPECT_TRUE(held.owns_lock());
}

TEST_F(SharedConditions, a_lock_that_is_not_held_is_refused_and_nothing_is_left) {
  Mailbox box;
  EXPECT_THROW(box.changed.wait(box.lock), Misuse);
  box.lock.lock();
  EXPECT_FALSE(box.changed.wait_for(box.lock, 1ms));
  box.lock.unlock();
}

int wake_by(const std::function<void(Mailbox&)>& notify) {
  Mailbox box;
  const auto wait = [&] { box.wait_once(); };
  Process a(wait), b(wait), c(wait);
  box.await_waiters(3);
  notify(box);
  int woken = 0;
  while (woken == 0) {
    const std::scoped_lock held(box.lock);
    woken = box.letters[0];
  }
  box.changed.notify_all();
  EXPECT_TRUE(a.join() && b.join() && c.join());
  return woken;
}

TEST_F(SharedConditions, one_or_all_are_notified) {
  EXPECT_EQ(wake_by([](Mailbox& box) { box.changed.notify_one(); }), 1);
  EXPECT_GE(wake_by([](Mailbox& box) { box.changed.notify_all(); }), 1);
}

TEST_F(SharedConditions, a_notified_waiter_that_dies_passes_it_on) {
  Mailbox box;
  const auto wait = [&] { box.wait_once(); };
  Process first(wait);
  box.await_waiters(1);
  ::kill(first.pid(), SIGSTOP);
  Process second(wait);
  box.await_waiters(2);
  box.changed.notify_one();
  first.kill();
  EXPECT_TRUE(second.join());
}

TEST_F(SharedConditions, waiters_and_notifiers_die_at_any_instruction) {
  Mailbox box;
  const auto body = [&] {
    std::unique_lock held(box.lock);
    box.changed.notify_all();
    box.changed.wait_for(held, 1us);
  };
  at_each_step(body, 100, [&](long step) {
    die_at(step, body);
    Process waiter([&] {
      told_before([&] {
        std::unique_lock held(box.lock);
        if (!box.changed.wait_for(held, patience, [&] { return box.letters[0] == 1; })) throw 1;
      });
    });
    told_before([&] {
      const std::scoped_lock held(box.lock);
      box.letters[0] = 1;
      box.changed.notify_one();
    });
    ASSERT_TRUE(waiter.join()) << step;
    box.letters[0] = 0;
  });
}

TEST_F(SharedBarriers, let_nobody_pass_before_all_have_come) {
  Barrier barrier(3);
  SharedArray<int> rounds(3);
  SharedArray<int> indices(3);
  const auto party = [&](std::size_t me) {
    for (int round = 1; round <= 500; ++round) {
      rounds[me] = round;
      const std::size_t index = barrier.arrive_and_wait();
      for (const int other : rounds) {
        if (other < round) throw 1;
      }
      if (round == 1) indices[index] = 1;
      barrier.arrive_and_wait();
    }
  };
  Process a([&] { party(0); }), b([&] { party(1); });
  party(2);
  EXPECT_TRUE(a.join() && b.join());
  for (const int index : indices) EXPECT_EQ(index, 1) << "each index is given once";
  EXPECT_EQ(barrier.parties(), 3u);
  EXPECT_EQ(barrier.waiting(), 0u);
}

TEST_F(SharedBarriers, a_timeout_breaks_it_and_a_reset_mends_it) {
  Barrier barrier(2);
  EXPECT_THROW(barrier.arrive_and_wait_for(5ms), BrokenBarrier);
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.arrive_and_wait(), BrokenBarrier);
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  {
    Sleeper waits([&] { EXPECT_THROW(barrier.arrive_and_wait(), BrokenBarrier); });
    EXPECT_EQ(barrier.waiting(), 1u);
    barrier.reset();
  }
  EXPECT_FALSE(barrier.broken());
  {
    Sleeper waits([&] { EXPECT_THROW(barrier.arrive_and_wait(), BrokenBarrier); });
    barrier.abort();
  }
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(Barrier(1).arrive_and_wait(), 0u);
  EXPECT_THROW(Barrier(0), Misuse);
  EXPECT_THROW(Barrier(100'000), Misuse);
}

TEST_F(SharedBarriers, a_party_that_dies_while_it_waits_breaks_it) {
  Barrier barrier(3);
  Sleeper survivor([&] { EXPECT_THROW(barrier.arrive_and_wait_for(patience), BrokenBarrier); });
  Process party([&] { barrier.arrive_and_wait(); });
  while (barrier.waiting() != 2) std::this_thread::yield();
  party.kill();
}

TEST_F(SharedBarriers, death_at_any_instruction) {
  const auto body = [](Barrier& barrier) {
    try {
      barrier.arrive_and_wait_for(1ms);
    } catch (const BrokenBarrier&) {  // the time was over
    }
  };
  Barrier to_measure(3);
  at_each_step([&] { body(to_measure); }, 40, [&](long step) {
    Barrier barrier(3);
    Process survivor([&] {
      try {
        barrier.arrive_and_wait_for(patience);
        throw 1;
      } catch (const BrokenBarrier&) {
      }
    });
    while (barrier.waiting() == 0) std::this_thread::yield();
    die_at(step, [&] { body(barrier); });
    if (barrier.waiting() == 1) barrier.abort();  // it had not come yet
    const auto before = std::chrono::steady_clock::now();
    ASSERT_TRUE(survivor.join()) << step;
    ASSERT_LT(std::chrono::steady_clock::now() - before, patience / 2) << step;
  });
}

}  // namespace
}  // namespace procpool::test
