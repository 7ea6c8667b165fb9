// How far ahead a worker is supplied: by the time that what it holds will take.
#include "fake_pool.hpp"

namespace procpool::test {
namespace {

constexpr std::uint64_t gated = 1'000'000;  // the number of a call that waits for the test

class Supply : public testing::Test {
  std::atomic<Gate*> runs_ = nullptr;
  std::atomic<Gate*> go_on_ = nullptr;

 protected:
  void calls(int count) {
    std::vector<Ref<Call>> all;
    for (int i = 0; i != count; ++i) all.push_back(pool_.submit(0));
    for (const auto& call : all) wait(*call);
  }

  /// What the worker holds once `submit_more` has been called while it runs a call.
  template <class SubmitMore>
  std::size_t handed_while_busy(SubmitMore submit_more) {
    Gate runs, go_on;
    runs_ = &runs;
    go_on_ = &go_on;
    const auto first = pool_.submit(gated);
    runs.pass();
    const auto more = submit_more();
    const std::size_t handed = pool_.core().stats().handed;
    go_on.open();
    wait(*first);
    for (const auto& each : more) wait(*each);
    return handed;
  }
  std::size_t handed_of_single_calls() {
    return handed_while_busy([this] {
      std::vector<Ref<Call>> more;
      for (int i = 0; i != 40; ++i) more.push_back(pool_.submit(0));
      return more;
    });
  }

  std::chrono::microseconds takes_{0};
  FakePool pool_{1, {.run = [this](const Element& e) {
                       if (e.id == gated) {
                         runs_.load()->open();
                         go_on_.load()->pass(e.killed);
                       }
                       const Deadline done = Clock::now() + takes_;
                       while (Clock::now() < done) continue;
                       return Act::value;
                     }}};
};

TEST_F(Supply, AWorkerOfSlowCallsHasOneAhead) {
  takes_ = 2ms;
  pool_.started();
  calls(20);
  EXPECT_EQ(handed_of_single_calls(), 2U);
}

// A busy machine can make fast calls look slow, but not for ever.
TEST_F(Supply, AWorkerOfFastCallsHasManyAhead) {
  pool_.started();
  EXPECT_TRUE(comes_true([this] {
    wait(*pool_.map(0, 1000, 100));
    return handed_of_single_calls() > 20;
  }));
}

TEST_F(Supply, AChunkCountsByItsElements) {
  takes_ = 5us;
  pool_.started();
  wait(*pool_.map(0, 1000, 100));
  EXPECT_EQ(handed_while_busy([this] {
              return std::vector<Ref<Map>>{pool_.map(0, 4000, 100)};
            }),
            2U);
}

}  // namespace
}  // namespace procpool::test
