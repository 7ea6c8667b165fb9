// The pool's end.
#include "fake_pool.hpp"

namespace procpool::test {
namespace {

TEST(Ends, CloseAndJoinWaitForWhatRuns) {
  Gate gate;
  FakePool pool(2, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto call = pool.submit(1);
  pool.core().close();
  EXPECT_THROW(pool.submit(2), PoolClosed);
  EXPECT_FALSE(pool.core().join(Clock::now() + 1ms));
  gate.open();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(value(*call), 1u);
  EXPECT_EQ(pool.machine().launched(), 2);  // nobody was replaced
  EXPECT_EQ(pool.machine().alive(), 0);
}

TEST(Ends, JoinOfAnOpenPoolIsMisuse) {
  FakePool pool(1);
  pool.started();
  EXPECT_THROW(pool.core().join(never), Misuse);
}

TEST(Ends, TerminateEndsEverythingOnce) {
  FakePool pool(2, {.run = [](const Element& e) {
    while (!*e.killed) std::this_thread::yield();
    return Act::value;
  }});
  pool.started();
  std::vector<Ref<Call>> calls;
  for (std::uint64_t id = 0; id != 20; ++id) calls.push_back(pool.submit(id));
  const auto batch = pool.map(0, 10, 2);
  pool.core().terminate();
  for (const auto& call : calls) EXPECT_FALSE(error<PoolTerminated>(*call).empty());
  EXPECT_EQ(values(*batch), std::vector<std::int64_t>(10, -1));
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(pool.machine().alive(), 0);
  pool.core().terminate();
  EXPECT_THROW(pool.submit(1), PoolTerminated);
}

TEST(Ends, TerminateWhileAWorkerIsBeingReplaced) {
  Gate in_launch, go_on;
  FakePool pool(1, {.before_launch = [&](int worker) {
    if (worker != 1) return;
    in_launch.open();
    go_on.pass();
  }});
  pool.started();
  pool.machine().kill(0);
  in_launch.pass();
  const auto call = pool.submit(1);
  pool.core().terminate();
  EXPECT_FALSE(error<PoolTerminated>(*call).empty());
  go_on.open();
  EXPECT_TRUE(pool.core().join(never));
  EXPECT_EQ(pool.machine().alive(), 0);
}

TEST(Ends, APoolClosedBeforeItsStartEndsAtItsStart) {
  FakePool pool(2);
  pool.core().close();
  EXPECT_TRUE(pool.core().join(never));
  pool.core().start();
  EXPECT_EQ(pool.machine().launched(), 0);
}

TEST(Ends, ADiscardLetsJoinReturn) {
  Gate gate;
  FakePool pool(1, {.run = [&](const Element& e) {
                      gate.pass(e.killed);
                      return Act::value;
                    }});
  pool.started();
  const auto batch = pool.map(0, 50, 10);
  pool.core().close();
  std::thread joiner([&] { EXPECT_TRUE(pool.core().join(never)); });
  pool.core().discard(*batch);
  gate.open();
  joiner.join();
  EXPECT_TRUE(batch->done());
}

TEST(Ends, APoolMayBeAbandonedInItsOwnCallback) {
  auto pool = std::make_unique<FakePool>(1);
  pool->started();
  std::atomic<bool> abandoned = false;
  auto call = Ref<Call>::adopt(new Call(1));
  pool->core().on_done(*call, [&] {
    EXPECT_THROW(pool->core().join(never), Misuse);
    pool->abandon();
    abandoned = true;
  });
  pool->core().submit(*call, detail::Admission::wait);
  EXPECT_TRUE(comes_true([&] { return abandoned.load(); }));
  EXPECT_EQ(value(*call), 1u);
  EXPECT_TRUE(comes_true([&] { return pool->machine().alive() == 0; }));
}

TEST(Ends, FuturesOutliveTheirPool) {
  Ref<Call> call;
  {
    FakePool pool(1);
    pool.started();
    call = pool.submit(9);
  }
  EXPECT_EQ(value(*call), 9u);
}

}  // namespace
}  // namespace procpool::test
