// Semaphore, BoundedSemaphore and Event between processes.
#include "shared/support.hpp"

namespace procpool::test {
namespace {

using SharedSemaphores = Census;
using SharedEvents = Census;

TEST_F(SharedSemaphores, count_permits) {
  Semaphore s(2);
  EXPECT_EQ(s.value(), 2u);
  s.acquire();
  EXPECT_TRUE(s.try_acquire());
  EXPECT_FALSE(s.try_acquire());
  EXPECT_FALSE(s.try_acquire_for(5ms));
  EXPECT_EQ(s.value(), 0u);
  s.release(3);
  EXPECT_EQ(s.value(), 3u);
  EXPECT_THROW(Semaphore(-1), Misuse);
  EXPECT_THROW(s.release(0), Misuse);
  EXPECT_THROW(s.release(~std::uint64_t{0}), Misuse);
}

TEST_F(SharedSemaphores, a_bounded_one_takes_no_more_than_it_gave) {
  BoundedSemaphore s(2);
  EXPECT_THROW(s.release(), Misuse);
  s.acquire();
  s.release();
  EXPECT_THROW(s.release(), Misuse);
  s.acquire();
  EXPECT_TRUE(Process([&] { s.release(); }).join()) << "anybody may release";
  EXPECT_THROW(s.release(), Misuse);
  s.acquire();
  EXPECT_EQ(s.value(), 1u);
  s.release();
}

TEST_F(SharedSemaphores, never_more_holders_than_permits) {
  Semaphore s(2);
  SharedValue<int> inside;
  SharedValue<int> most;
  const auto work = [&] {
    for (int i = 0; i != 2000; ++i) {
      s.acquire();
      const int now = inside.update([](int n) { return n + 1; });
      most.update([now](int n) { return std::max(n, now); });
      inside.update([](int n) { return n - 1; });
      s.release();
    }
  };
  Process a(work), b(work), c(work), d(work);
  EXPECT_TRUE(a.join() && b.join() && c.join() && d.join());
  EXPECT_LE(most.load(), 2);
  EXPECT_EQ(s.value(), 2u);
}

TEST_F(SharedSemaphores, permits_of_the_dead_come_back) {
  Semaphore s(3);
  Process([&] {
    s.acquire();
    s.acquire();
    ::raise(SIGKILL);
  }).join();
  EXPECT_EQ(s.value(), 3u);
  EXPECT_THROW(s.acquire(), OwnerDied);
  EXPECT_EQ(told_before([&] { s.acquire(); }), 0) << "told once for each holder";
  EXPECT_EQ(s.value(), 2u);
  s.release();
}

TEST_F(SharedSemaphores, one_who_waits_is_told) {
  Semaphore s(1);
  Event held;
  Process holder([&] {
    s.acquire();
    held.set();
    Event().wait();
  });
  held.wait();
  std::atomic<int> told = 0;
  const auto wait = [&] {
    told += told_before([&] { EXPECT_TRUE(s.try_acquire_for(patience)); });
    s.release();
  };
  {
    Sleeper first(wait), second(wait), third(wait);
    holder.kill();
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(s.value(), 1u);
}

TEST_F(SharedSemaphores, signals_of_the_dead_do_not_come_back) {
  Semaphore signals(0);
  signals.release(5);
  Process([&] {
    for (int i = 0; i != 5; ++i) signals.acquire();
    ::raise(SIGKILL);
  }).join();
  EXPECT_EQ(signals.value(), 0u);
  EXPECT_FALSE(signals.try_acquire());
}

TEST_F(SharedSemaphores, a_permit_outlives_its_thread_and_not_its_process) {
  Semaphore s(1);
  Event held;
  Process holder([&] {
    std::thread([&] { s.acquire(); }).join();
    held.set();
    Event().wait();
  });
  held.wait();
  EXPECT_FALSE(s.try_acquire_for(50ms));
  {
    Sleeper waits([&] {
      EXPECT_EQ(told_before([&] { EXPECT_TRUE(s.try_acquire_for(patience)); }), 1);
      s.release();
    });
    holder.kill();
  }
  EXPECT_TRUE(Process([&] {
                std::thread([&] { s.acquire(); }).join();
                s.release();  // by another thread of the same process
              }).join());
  EXPECT_EQ(s.value(), 1u);
}

TEST_F(SharedSemaphores, a_woken_waiter_that_dies_passes_it_on) {
  Semaphore s(1);
  s.acquire();
  Process first([&] { s.acquire(); });
  first.await_sleep();
  ::kill(first.pid(), SIGSTOP);  // it is woken and does not go on
  Sleeper second([&] {
    told_before([&] { EXPECT_TRUE(s.try_acquire_for(patience)); });
    s.release();
  });
  s.release();
  first.kill();
}

// Somebody waits while another dies somewhere between asking for the permit and having given it back.
TEST_F(SharedSemaphores, death_at_any_instruction) {
  Semaphore s(1);
  const auto body = [&] {
    s.acquire();
    s.release();
  };
  at_each_step(body, 100, [&](long step) {
    Process waiter([&] {
      told_before([&] {
        if (!s.try_acquire_for(patience)) throw 1;
      });
      s.release();
    });
    die_at(step, body);
    ASSERT_TRUE(waiter.join()) << step;
    told_before([&] { ASSERT_TRUE(s.try_acquire_for(patience)) << step; });
    s.release();
    ASSERT_EQ(s.value(), 1u) << step;
  });
}

TEST_F(SharedSemaphores, a_waiter_dies_at_any_instruction) {
  Semaphore s(1);
  s.acquire();
  const auto body = [&] { s.try_acquire_for(1ms); };
  at_each_step(body, 100, [&](long step) {
    die_at(step, body);
    s.release();
    ASSERT_EQ(told_before([&] { ASSERT_TRUE(s.try_acquire_for(patience)) << step; }), 0) << step;
  });
  s.release();
}

TEST_F(SharedSemaphores, many_wait) {
  Semaphore s(0);
  std::vector<std::thread> threads;
  for (int i = 0; i != 150; ++i) {
    threads.emplace_back([&] { EXPECT_TRUE(s.try_acquire_for(3 * patience)); });
  }
  s.release(150);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(s.value(), 0u);
}

TEST_F(SharedEvents, are_set_and_cleared) {
  Event e;
  EXPECT_FALSE(e.is_set());
  EXPECT_FALSE(e.wait_for(5ms));
  e.set();
  e.set();
  EXPECT_TRUE(e.is_set());
  e.wait();
  EXPECT_TRUE(e.wait_for(-1s));
  e.clear();
  e.clear();
  EXPECT_FALSE(e.is_set());
}

TEST_F(SharedEvents, wake_everybody_even_if_cleared_at_once) {
  Event e;
  Process a([&] { e.wait(); }), b([&] { e.wait(); });
  a.await_sleep();
  b.await_sleep();
  e.set();
  e.clear();
  EXPECT_TRUE(a.join() && b.join());
}

TEST_F(SharedEvents, death_at_any_instruction) {
  Event e;
  const auto body = [&] {
    e.set();
    e.clear();
  };
  at_each_step(body, 100, [&](long step) {
    e.clear();
    Process waiter([&] { e.wait(); });
    waiter.await_sleep();
    die_at(step, body);
    if (!e.is_set()) e.set();  // else it has been woken
    ASSERT_TRUE(waiter.join()) << step;
  });
}

}  // namespace
}  // namespace procpool::test
