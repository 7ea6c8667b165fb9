// Locks and the like through the pool: handles as arguments, and workers that die while they hold one.
#include <procpool/shared.hpp>

#include <memory>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

constexpr auto patience = 20s;

void add_locked(Lock lock, SharedArray<long> count, int times) {
  for (int i = 0; i != times; ++i) {
    const std::scoped_lock held(lock);
    const long seen = count[0];
    count[0] = seen + 1;
  }
}

TEST_P(Conformance, P_SYNC_02_four_workers_count_to_4000_under_a_lock) {
  Pool pool = make_pool(4);
  const Lock lock;
  const SharedArray<long> count(1);
  const std::vector<std::tuple<Lock, SharedArray<long>, int>> calls(4, {lock, count, 1000});
  pool.starmap(add_locked, calls);
  EXPECT_EQ(count[0], 4000);
}

std::unique_ptr<SharedValue<long>> worker_value;  // in a worker: what the initializer got
void remember(const SharedValue<long>& value) {
  worker_value = std::make_unique<SharedValue<long>>(value);
}
long add_to_remembered(long n) {
  return worker_value->update([n](long old) { return old + n; });
}

// What the template process made, its workers have, and can let go without harm.
std::unique_ptr<SharedValue<long>> templates_value;
void make_value() { templates_value = std::make_unique<SharedValue<long>>(); }
long add_one() {
  return templates_value->update([](long old) { return old + 1; });
}
void let_go() { templates_value.reset(); }

TEST_P(Conformance, P_SYNC_01_workers_share_what_their_template_made) {
  const Pool pool = make_pool({.processes = 1, .preload = make_value});
  EXPECT_EQ(pool.apply(add_one), 1);
  EXPECT_EQ(pool.apply(add_one), 2);
  pool.apply(let_go);
  EXPECT_EQ(pool.apply(square, 3), 9);
}

TEST_P(Conformance, P_SYNC_01_an_initializer_gets_handles) {
  const SharedValue<long> value(10);
  const Pool pool = make_pool({.processes = 2, .initializer = partial(remember, value)});
  pool.map(add_to_remembered, {1, 2, 3});
  EXPECT_EQ(value.load(), 16);
  const auto why = error_of<Misuse>(
      [&] { Pool({.processes = 1, .preload = partial(remember, value)}); });
  EXPECT_TRUE(contains(why, "initializer")) << why;
}

// The error of the next three who ask for it, and then nobody's.
template <class Take>
int times_told(Take take) {
  int told = 0;
  for (int i = 0; i != 3; ++i) {
    try {
      EXPECT_TRUE(take());
    } catch (const OwnerDied&) {
      ++told;
    }
  }
  return told;
}

TEST_P(Conformance, P_SYNC_01_a_worker_that_dies_with_a_lock_is_told_of_once) {
  Pool pool = make_pool(2);
  Lock lock;
  RLock recursive;
  Semaphore semaphore(2);
  const auto die = [](Lock l, RLock r, Semaphore s) {
    l.lock();
    r.lock();
    r.lock();
    s.acquire();
    s.acquire();
    crash();
  };
  EXPECT_THROW(pool.apply(die, lock, recursive, semaphore), WorkerCrashed);
  const auto take = [](Lock l) {
    const bool taken = l.try_lock_for(patience);
    l.unlock();
    return taken;
  };
  EXPECT_EQ(times_told([&] { return pool.apply(take, lock); }), 1) << "an OwnerDied comes home";
  EXPECT_EQ(times_told([&] {
              const bool taken = recursive.try_lock_for(patience);
              recursive.unlock();
              return taken;
            }),
            1);
  EXPECT_EQ(times_told([&] {
              const bool taken = semaphore.try_acquire_for(patience);
              semaphore.release();
              return taken;
            }),
            1);
  EXPECT_EQ(semaphore.value(), 2u);
}

TEST_P(Conformance, P_SYNC_01_a_worker_that_dies_releases_those_who_wait) {
  Pool pool = make_pool(2);
  Lock lock;
  Event held;
  Gate gate(file("gate"));
  auto holder = pool.submit(
      [](Lock l, Event e, const std::string& path) {
        l.lock();
        e.set();
        pass_gate(path);
        crash();
      },
      lock, held, gate.path());
  held.wait();
  auto waiter = pool.submit([](Lock l) { return l.try_lock_for(patience); }, lock);
  gate.open();
  EXPECT_THROW(waiter.get(), OwnerDied);
  EXPECT_THROW(holder.get(), WorkerCrashed);
}

TEST_P(Conformance, P_SYNC_01_events_conditions_and_barriers_meet_in_workers) {
  Pool pool = make_pool(2);
  Barrier barrier(3);
  auto a = pool.submit([](Barrier b) { return b.arrive_and_wait_for(patience); }, barrier);
  auto b = pool.submit([](Barrier x) { return x.arrive_and_wait_for(patience); }, barrier);
  const std::size_t here = barrier.arrive_and_wait_for(patience);
  EXPECT_EQ(here + a.get() + b.get(), 0u + 1u + 2u);

  Lock lock;
  Condition changed;
  SharedValue<int> state;
  auto waiter = pool.submit(
      [](Lock l, Condition c, SharedValue<int> s) {
        std::unique_lock held(l);
        return c.wait_for(held, patience, [&] { return s.load() == 2; });
      },
      lock, changed, state);
  for (int i = 0; i != 2; ++i) {
    const std::scoped_lock held(lock);
    state.update([](int n) { return n + 1; });
    changed.notify_all();
  }
  EXPECT_TRUE(waiter.get());

  Event event;
  auto late = pool.submit([](const Event& e) { return e.wait_for(patience); }, event);
  event.set();
  EXPECT_TRUE(late.get());
}

TEST_P(Conformance, P_SYNC_01_a_party_that_dies_at_a_barrier_breaks_it) {
  Pool pool = make_pool(2);
  Barrier barrier(3);
  auto victim = pool.submit(
      [](Barrier b) {
        std::thread([] { crash(); }).detach();  // while this thread waits, or is about to
        b.arrive_and_wait();
      },
      barrier);
  EXPECT_THROW(victim.get(), WorkerCrashed);
  if (barrier.waiting() == 0) barrier.abort();  // it died before it got there
  EXPECT_THROW(barrier.arrive_and_wait_for(patience), BrokenBarrier);
}

}  // namespace
}  // namespace procpool::test
