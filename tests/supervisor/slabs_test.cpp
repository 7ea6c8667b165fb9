// Large calls and results use the same memory again: a supervisor over workers of whom some die.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "large_calls.hpp"
#include "support/census.hpp"

namespace procpool::test {
namespace {

class Slabs : public Census {
 protected:
  Ref<LargeCall> submit(std::uint64_t id, std::uint32_t retries = 0) {
    auto call = Ref<LargeCall>::adopt(new LargeCall(pool_->core(), id, retries));
    pool_->core().submit(*call, detail::Admission::wait);
    return call;
  }
  FakePool& start(int workers, std::function<Act(const Element&)> run) {
    pool_.emplace(workers, Script{.run = std::move(run)});
    return pool_->started();
  }
  static bool is_all(const detail::Node& node, std::uint64_t id) {
    const auto bytes = node.payload.bytes();
    if (node.outcome != Outcome::value || bytes.size() != large_bytes) return false;
    for (std::size_t at = 0; at + sizeof id <= bytes.size(); at += sizeof id) {
      if (std::memcmp(bytes.data() + at, &id, sizeof id) != 0) return false;
    }
    return true;
  }
  std::optional<FakePool> pool_;
};

TEST_F(Slabs, CallAfterCallLiesInTheSameMemoryAndSoDoResults) {
  start(1, [](const Element&) { return Act::large; });
  std::set<std::string> calls, results;
  for (std::uint64_t id = 1; id != 200; ++id) {
    const auto call = submit(id);
    wait(*call);
    EXPECT_TRUE(is_all(*call, id)) << id;
    calls.merge(memories("procpool-call"));
    results.merge(memories("procpool-room"));
  }
  // The next call may be encoded before the last one's garbage is out.
  EXPECT_LE(calls.size(), 10u);
  EXPECT_LE(results.size(), 10u);
}

TEST_F(Slabs, ResultsThatAreKeptAreNotWrittenOver) {
  start(2, [](const Element&) { return Act::large; });
  std::vector<Ref<LargeCall>> kept;
  for (std::uint64_t id = 1; id != 60; ++id) {
    const auto call = submit(id);
    if (id % 2 == 0) kept.push_back(call);
    wait(*call);
  }
  for (std::size_t i = 0; i != kept.size(); ++i) EXPECT_TRUE(is_all(*kept[i], 2 * i + 2)) << i;
}

TEST_F(Slabs, OfAWorkerThatDiesComeBackAndItsResultsStay) {
  start(2, [](const Element& e) {
    if (e.id % 5 == 0 && e.attempt == 1) return Act::die;
    return Act::large;
  });
  std::vector<Ref<LargeCall>> all;
  for (std::uint64_t id = 1; id != 60; ++id) all.push_back(submit(id, 1));
  for (std::size_t i = 0; i != all.size(); ++i) {
    wait(*all[i]);
    EXPECT_TRUE(is_all(*all[i], i + 1)) << i;
  }
  EXPECT_TRUE(comes_true([] { return memories("procpool-call").size() <= 10u; }));
}

TEST_F(Slabs, AllGoBackWhenNobodyUsesThem) {
  start(2, [](const Element&) { return Act::large; });
  {
    std::vector<Ref<LargeCall>> all;
    for (std::uint64_t id = 1; id != 30; ++id) all.push_back(submit(id));
    for (const auto& call : all) wait(*call);
    EXPECT_FALSE(memories("procpool-call").empty());
    EXPECT_NE(resident("procpool-room"), 0u);
  }
  EXPECT_TRUE(comes_true([] { return memories("procpool-call").empty(); }));
  EXPECT_TRUE(comes_true([] { return resident("procpool-room") == 0; }));
}

TEST_F(Slabs, ARoomGoesBackAlsoWhenItsWorkerWasBusyAtTheTime) {
  Gate gate;
  start(1, [&](const Element& e) {
    if (e.id == 1) return Act::large;
    gate.pass(e.killed);
    return Act::value;
  });
  wait(*pool_->submit(1));
  const auto second = pool_->submit(2);
  EXPECT_FALSE(pool_->core().wait(*second, Clock::now() + 2 * channel::slab_keep_time));
  EXPECT_NE(resident("procpool-room"), 0u);
  gate.open();
  wait(*second);
  EXPECT_TRUE(comes_true([] { return resident("procpool-room") == 0; }));
}

TEST_F(Slabs, ACallsMemoryGoesBackAlsoWhenTheCallIsNotSubmitted) {
  start(1, [](const Element&) { return Act::value; });
  pool_->core().room_for_call(large_bytes, false);
  EXPECT_FALSE(memories("procpool-call").empty());
  EXPECT_TRUE(comes_true([] { return memories("procpool-call").empty(); }));
}

TEST_F(Slabs, ATerminatedPoolGivesNoMemoryForCalls) {
  start(1, [](const Element&) { return Act::value; });
  pool_->core().terminate();
  EXPECT_EQ(pool_->core().room_for_call(large_bytes, false).keeper, nullptr);
}

TEST_F(Slabs, ACancelledCallsMemoryIsNotUsedWhileItRuns) {
  Gate gate;
  std::atomic<bool> runs = false;
  std::atomic<bool> same = false;
  const std::byte* payload = nullptr;
  start(1, [&](const Element& e) {
    if (e.id != 1) return Act::value;
    runs = true;
    gate.pass(e.killed);
    std::uint64_t last = 0;
    std::memcpy(&last, payload + large_bytes - 2 * sizeof last, sizeof last);
    same = last == 1;
    return Act::value;
  });
  const auto first = submit(1);
  payload = first->payload.bytes().data();
  EXPECT_TRUE(comes_true([&] { return runs.load(); }));
  pool_->core().cancel(*first);
  std::vector<Ref<LargeCall>> later;
  for (std::uint64_t id = 2; id != 20; ++id) later.push_back(submit(id));
  gate.open();
  for (const auto& call : later) wait(*call);
  EXPECT_TRUE(same);
}

}  // namespace
}  // namespace procpool::test
