// Lock, RLock and SharedValue between processes.
#include <mutex>

#include "shared/support.hpp"

namespace procpool::test {
namespace {

using SharedLocks = Census;

TEST_F(SharedLocks, one_process_at_a_time) {
  Lock lock;
  SharedArray<int> count(1);
  {
    const auto add = [&] {
      for (int i = 0; i != 10'000; ++i) {
        const std::scoped_lock held(lock);
        ++count[0];
      }
    };
    Process a(add), b(add);
    EXPECT_TRUE(a.join() && b.join());
  }
  EXPECT_EQ(count[0], 20'000);
}

TEST_F(SharedLocks, timeouts_and_tries) {
  Lock lock;
  Event locked, done;
  Process holder([&] {
    lock.lock();
    locked.set();
    done.wait();
    lock.unlock();
  });
  locked.wait();
  EXPECT_FALSE(lock.try_lock());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(lock.try_lock_for(30ms));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 30ms);
  EXPECT_FALSE(lock.try_lock_until(std::chrono::system_clock::now() + 10ms));
  EXPECT_FALSE(lock.try_lock_for(-1s));
  done.set();
  EXPECT_TRUE(lock.try_lock_for(std::chrono::hours::max())) << "any duration, saturating";
  lock.unlock();
  EXPECT_TRUE(holder.join());
}

TEST_F(SharedLocks, who_does_not_hold_it_cannot_unlock_it) {
  Lock lock;
  EXPECT_THROW(lock.unlock(), Misuse);
  lock.lock();
  EXPECT_THROW(lock.lock(), Misuse) << "it would wait for itself";
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_for(1ms));
  Process other([&] { lock.unlock(); });
  EXPECT_FALSE(other.join()) << "nor can another process";
  lock.unlock();
  Lock moved = std::move(lock);
  EXPECT_THROW(lock.lock(), Misuse) << "an empty handle";  // NOLINT(bugprone-use-after-move)
}

TEST_F(SharedLocks, a_recursive_lock_counts) {
  RLock lock;
  lock.lock();
  lock.lock();
  EXPECT_TRUE(lock.try_lock());
  const auto free_elsewhere = [&] {
    return Process([&] {
             if (!lock.try_lock()) throw 1;
           })
        .join();
  };
  lock.unlock();
  lock.unlock();
  EXPECT_FALSE(free_elsewhere());
  lock.unlock();
  EXPECT_TRUE(free_elsewhere());
}

template <class L>
void one_is_told_and_does_not_hold_it() {
  L lock;
  {
    Process holder([&] {
      lock.lock();
      ::raise(SIGKILL);
    });
    holder.join();
  }
  EXPECT_THROW(lock.try_lock(), OwnerDied);
  EXPECT_TRUE(lock.try_lock()) << "usable again";
  lock.unlock();
}

TEST_F(SharedLocks, a_dead_holder_is_told_of_once) {
  one_is_told_and_does_not_hold_it<Lock>();
  one_is_told_and_does_not_hold_it<RLock>();
}

TEST_F(SharedLocks, one_of_those_who_wait_is_told) {
  Lock lock;
  Event locked;
  Process holder([&] {
    lock.lock();
    locked.set();
    Event().wait();
  });
  locked.wait();
  std::atomic<int> told = 0;
  const auto wait = [&] {
    told += told_before([&] { EXPECT_TRUE(lock.try_lock_for(patience)); });
    lock.unlock();
  };
  {
    Sleeper first(wait), second(wait);
    holder.kill();
  }
  EXPECT_EQ(told, 1);
}

TEST_F(SharedLocks, a_handle_that_goes_while_it_is_locked_does_no_harm) {
  const auto body = [] {
    Lock kept;
    {
      Lock gone;
      gone.lock();
    }
    kept.lock();  // the list of what this thread holds goes through the other one
    kept.unlock();
  };
  EXPECT_TRUE(Process(body).join());
}

TEST_F(SharedLocks, death_at_any_instruction) {
  Lock lock;
  RLock recursive;
  const auto body = [&] {
    lock.lock();
    recursive.lock();
    recursive.lock();
    recursive.unlock();
    recursive.unlock();
    lock.unlock();
  };
  at_each_step(body, 150, [&](long step) {
    die_at(step, body);
    EXPECT_LE(told_before([&] { ASSERT_TRUE(lock.try_lock_for(patience)) << step; }), 1);
    EXPECT_LE(told_before([&] { ASSERT_TRUE(recursive.try_lock_for(patience)) << step; }), 1);
    recursive.unlock();
    lock.unlock();
  });
}

struct Pair {
  int a = 0, b = 0;
  char text[50] = {};
};

TEST_F(SharedLocks, a_value_is_updated_by_one_at_a_time) {
  SharedValue<long> value(5);
  {
    const auto add = [&] {
      for (int i = 0; i != 10'000; ++i) value.update([](long n) { return n + 1; });
    };
    Process a(add), b(add);
    EXPECT_TRUE(a.join() && b.join());
  }
  EXPECT_EQ(value.load(), 20'005);
  value.store(-1);
  EXPECT_EQ(value.load(), -1);
  EXPECT_THROW(value.update([](long) -> long { throw 1; }), int);
  EXPECT_EQ(value.load(), -1);
  EXPECT_THROW(value.update([&](long) { return value.load(); }), Misuse);
}

TEST_F(SharedLocks, nobody_sees_a_value_half_written) {
  SharedValue<Pair> value;
  const auto body = [&] {
    value.update([](Pair p) { return Pair{p.a + 1, p.b + 1, {}}; });
  };
  at_each_step(body, 150, [&](long step) {
    die_at(step, body);
    const Pair seen = value.load();
    ASSERT_EQ(seen.a, seen.b) << step;
  });
  EXPECT_GT(value.load().a, 0);
}

}  // namespace
}  // namespace procpool::test
