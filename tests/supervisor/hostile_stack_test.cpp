// Workers that are asked for the stack of what they run, and tell it, or something else, or nothing.
#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "raw_pool.hpp"
#include "os/stack.hpp"
#include "shm/claim.hpp"
#include "shm/element.hpp"

namespace procpool::test {
namespace {

// Lines that were heard of any number of calls.
class Lines {
 public:
  std::function<void(const TaskUpdate&)> listener() {
    return [this](const TaskUpdate& update) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(update.log);
    };
  }
  std::size_t count(const std::string& part = {}) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

Ref<Call> soft_call(std::uint64_t id) {
  auto call = Ref<Call>::adopt(new Call(id));
  detail::set_options(*call, detail::share_options({.soft_timeout = 1ms}));
  return call;
}

// It says that it runs what was submitted to it first.
void runs_first(RawWorker& worker) {
  worker.results().claims[1] = shm::Claim{1, 1, 1}.pack();  // slot 0 binds the task
}

std::uint64_t wish_to(const RawWorker& worker) { return worker.tasks().header.stack_wanted; }
testing::AssertionResult is_asked(const RawWorker& worker) {
  return comes_true([&] { return wish_to(worker) == shm::element_word(1, 0); });
}

class HostileStack : public RawPool {
 protected:
  void SetUp() override {
    worker_ = start();
    core_->submit(*call_, detail::Admission::wait);
    runs_first(*worker_);
  }
  std::uint64_t wish() const { return wish_to(*worker_); }
  void put(std::uint64_t of, std::uint32_t size) {
    std::memset(worker_->results().stack.bytes, 0x41, sizeof(shm::StackRecord::bytes));
    worker_->results().stack.size = size;
    worker_->results().stack.of = of;
  }
  void tell(std::uint64_t of, std::uint32_t size) {
    put(of, size);
    worker_->ring();
  }

  std::shared_ptr<RawWorker> worker_;
  Ref<Call> call_ = soft_call(7);
};

TEST_F(HostileStack, OneThatIsLargerThanItsRoomIsItsDeath) {
  EXPECT_TRUE(is_asked(*worker_));
  tell(wish(), sizeof(shm::StackRecord::bytes) + 1);
  EXPECT_NE(violation_of(*call_).find("stack"), std::string::npos);
  expect_ended(*worker_);
}

// A lone word, then of nobody; then what is no stack, to the brim.
TEST_F(HostileStack, OneThatNobodyAskedForIsNotLookedAtAndNonsenseIsNoStack) {
  tell(shm::element_word(1, 1), ~0U);
  tell(0, ~0U);
  EXPECT_TRUE(is_asked(*worker_));
  Lines lines;
  core_->on_progress(*call_, lines.listener());
  tell(wish(), sizeof(shm::StackRecord::bytes));
  EXPECT_TRUE(comes_true([&] { return lines.count("what its worker told is no stack") == 1; }));
  EXPECT_FALSE(worker_->dead());
  tell(wish(), ~0U);  // told already: not looked at again
  core_->wait(*call_, Clock::now());
  EXPECT_FALSE(worker_->dead());
  core_->terminate();
  EXPECT_TRUE(core_->join(never));
  EXPECT_EQ(lines.count(), 1U);
}

TEST_F(HostileStack, ATaskIsReportedOnce) {
  std::atomic<int> reports = 0;
  core_->on_progress(*call_, [&](const TaskUpdate&) { ++reports; });
  EXPECT_TRUE(is_asked(*worker_));
  tell(wish(), 0);
  EXPECT_TRUE(comes_true([&] { return reports == 1; }));
  for (std::uint64_t look = 0; look != 10; ++look) {
    const auto other = submit(100 + look);
    EXPECT_TRUE(core_->cancel(*other));
    EXPECT_FALSE(core_->wait(*call_, Clock::now()));
  }
  core_->terminate();
  EXPECT_TRUE(core_->join(never));
  EXPECT_EQ(reports, 1);
}

// One bell for both.
TEST_F(HostileStack, WhatIsToldJustBeforeTheEndIsHeard) {
  Lines lines;
  core_->on_progress(*call_, lines.listener());
  EXPECT_TRUE(is_asked(*worker_));
  put(wish(), sizeof(shm::StackRecord::bytes));
  struct {
    wire::OutcomeHeader header{1, 0};
    std::uint64_t number = 7;
  } record;
  worker_->publish(static_cast<std::uint32_t>(wire::RecordKind::value), wire::bytes_of(record));
  EXPECT_EQ(value(*call_), 7U);
  core_->terminate();
  EXPECT_TRUE(core_->join(never));
  EXPECT_EQ(lines.count(), 1U);
  EXPECT_EQ(lines.count("what its worker told is no stack"), 1U);
}

TEST_F(HostileStack, WhatDiesBeforeItHasToldIsReported) {
  Lines lines;
  core_->on_progress(*call_, lines.listener());
  EXPECT_TRUE(is_asked(*worker_));
  worker_->die();
  wait(*call_);
  core_->terminate();
  EXPECT_TRUE(core_->join(never));
  EXPECT_EQ(lines.count(), 1U);
  EXPECT_EQ(lines.count("it has just ended"), 1U);
}

constexpr int many = 24;
constexpr std::size_t most_with_stack = 8;

class ManyStacks : public RawPool {
 protected:
  ManyStacks() : RawPool(many) {}
};

// All of them in one look.
TEST_F(ManyStacks, OnlySomeAreReportedWithTheirStacksAndNothingWaitsLong) {
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::span taken = std::span(frames).first(os::capture_stack(frames));
  std::vector<std::shared_ptr<RawWorker>> workers{start()};
  while (workers.size() != many) workers.push_back(machine_.next());
  Lines lines;
  std::vector<Ref<Call>> calls;
  for (std::uint64_t i = 0; i != many; ++i) {
    calls.push_back(soft_call(i));
    core_->submit(*calls.back(), detail::Admission::wait);
    core_->on_progress(*calls.back(), lines.listener());
  }
  for (const auto& worker : workers) runs_first(*worker);
  EXPECT_TRUE(core_->cancel(*submit(many)));  // whereupon all are looked at, and asked at once
  for (const auto& worker : workers) {
    EXPECT_TRUE(is_asked(*worker));
    worker->results().stack.size =
        static_cast<std::uint32_t>(os::write_stack(taken, worker->results().stack.bytes));
  }
  for (const auto& worker : workers) worker->results().stack.of = wish_to(*worker);
  workers.front()->ring();
  EXPECT_TRUE(comes_true([&] { return lines.count() == many; }));
  EXPECT_GE(lines.count("its stack:"), most_with_stack);
  EXPECT_GE(lines.count("too many are reported at once for its stack"), 1U);
  EXPECT_EQ(lines.count("its stack:") + lines.count("too many"), std::size_t{many});
  core_->terminate();
  EXPECT_TRUE(core_->join(Clock::now() + 10s));
}

}  // namespace
}  // namespace procpool::test
