// What lies in a worker's slots and slabs: how full they get, and what is in them then.
#include <vector>

#include "fake_pool.hpp"

namespace procpool::test {
namespace {

const detail::Descriptor another_task = number_task;

struct AnotherCall final : detail::Node {
  explicit AnotherCall(std::uint64_t number) {
    descriptor = &another_task;
    std::memcpy(payload.room().data(), &number, sizeof number);
    payload.adopt(sizeof number, nullptr);
  }
};

// While a worker runs one call, so many more are given to it and taken back, each of which leaves a
// slot that it has not passed; then a call of code that it does not know, which needs two; then it
// dies. What it had not started runs elsewhere.
void fill_and_die(int taken_back) {
  Gate gate;
  std::atomic<bool> running = false;
  FakePool pool(1, {.run = [&](const Element& e) {
                      if (e.id != 0) return Act::value;
                      running = true;
                      gate.pass(e.killed);
                      return Act::die;
                    }});
  pool.started();
  const auto first = pool.submit(0);
  EXPECT_TRUE(comes_true([&] { return running.load(); }));
  for (int i = 0; i != taken_back; ++i) EXPECT_TRUE(pool.core().cancel(*pool.submit(1)));
  const auto other = Ref<AnotherCall>::adopt(new AnotherCall(7));
  pool.core().submit(*other, detail::Admission::wait);
  gate.open();
  EXPECT_FALSE(error<WorkerCrashed>(*first).empty());
  EXPECT_EQ(value(*other), 7u) << taken_back;
}

TEST(Slots, ABindingAndItsCallNeedTwo) {
  for (int left = 0; left != 5; ++left) {
    fill_and_die(static_cast<int>(shm::slot_count) - 1 - left);
  }
}

TEST(Slots, WhenNoneIsLeftAWorkerIsAskedAgainLater) {
  fill_and_die(static_cast<int>(shm::slot_count) + 10);
}

// The message that it is to end has no slot while it runs.
TEST(Slots, AWorkerThatIsToLeaveIsToldWhenThereIsOne) {
  for (int round = 0; round != 5; ++round) {
    Gate gate;
    std::atomic<int> running = 0;
    FakePool pool(2, {.run = [&](const Element& e) {
                        ++running;
                        gate.pass(e.killed);
                        return Act::value;
                      }});
    pool.started();
    const std::vector<Ref<Call>> calls{pool.submit(0), pool.submit(1)};
    EXPECT_TRUE(comes_true([&] { return running == 2; }));
    for (std::uint32_t i = 0; i != 2 * shm::slot_count + 10; ++i) {
      EXPECT_TRUE(pool.core().cancel(*pool.submit(2)));
    }
    pool.core().resize(1);
    gate.open();
    EXPECT_TRUE(comes_true([&] { return pool.machine().alive() == 1; }));
  }
}

TEST(Slots, LargeCallsHaveASlabEach) {
  FakePool pool(1);
  pool.started();
  for (std::uint64_t first : {0u, 10'000u, 20'000u}) {
    const auto all = values(*pool.map(first, 4000, 4000));
    ASSERT_EQ(all.size(), 4000u);
    EXPECT_EQ(all.front(), static_cast<std::int64_t>(first));
    EXPECT_EQ(all.back(), static_cast<std::int64_t>(first + 3999));
  }
}

TEST(Slots, IdleWorkersTakeTurns) {
  std::atomic<int> runs[2]{};
  FakePool pool(2, {.run = [&](const Element& e) {
                      ++runs[e.worker];
                      return Act::value;
                    }});
  pool.started();
  for (std::uint64_t id = 0; id != 20; ++id) EXPECT_EQ(value(*pool.submit(id)), id);
  EXPECT_EQ(runs[0], 10);
  EXPECT_EQ(runs[1], 10);
}

}  // namespace
}  // namespace procpool::test
