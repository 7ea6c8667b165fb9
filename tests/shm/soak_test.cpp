// Everything of shm at once over one mapping: calls of random sizes through slots and arena, some
// taken back, their elements' outcomes through the ring, both sides sleeping and waking by the
// bells. Every byte is checked at the other end. The same two ends first alternate in one thread,
// then are two threads, then two processes.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>
#include <random>
#include <thread>

#include "tests/shm/soak_ends.hpp"

namespace procpool::shm {
namespace {

constexpr std::uint64_t many = 20000;

class Soak : public testing::Test {
 protected:
  void SetUp() override { std::cout << "seed " << seed_ << '\n'; }
  void expect_all(const HomeEnd& home) {
    EXPECT_TRUE(home.good());
    EXPECT_GT(home.done(), many);
    EXPECT_GT(home.taken_back(), 0U);
  }
  const std::uint32_t seed_ = std::random_device{}();
  Mapping mapping_;
  Shared& shared_ = *mapping_.shared;
};

TEST_F(Soak, BothEndsInOneThread) {
  WorkerEnd worker(shared_, seed_);
  HomeEnd home(shared_, seed_ + 1, many);
  std::mt19937 random(seed_ + 2);
  int idle = 0;
  while (!home.over() && idle != 1000) {
    const bool moved = random() % 2 == 0 ? home.step() : worker.step();
    idle = moved ? 0 : idle + 1;
  }
  EXPECT_TRUE(home.over());
  EXPECT_TRUE(worker.over() && worker.good());
  expect_all(home);
}

TEST_F(Soak, TwoThreads) {
  HomeEnd home(shared_, seed_ + 1, many);
  bool worker_good = false;
  std::thread thread([&] {
    WorkerEnd worker(shared_, seed_);
    live(worker);
    worker_good = worker.good();
  });
  live(home);
  thread.join();
  EXPECT_TRUE(worker_good);
  expect_all(home);
}

TEST_F(Soak, TwoProcesses) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    WorkerEnd worker(shared_, seed_);
    live(worker);
    _exit(worker.good() ? 0 : 1);
  }
  HomeEnd home(shared_, seed_ + 1, many);
  live(home);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_all(home);
}

/// The worker's side writes anything anywhere in its memory while the supervisor's side goes on.
TEST_F(Soak, SupervisorSurvivesAProcessThatScribbles) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::mt19937_64 random(seed_);
    for (;;) {
      const std::uint64_t value = random() % 2 == 0 ? random() : random() % 64 * 8;
      const std::size_t at = random() % 4 == 0 ? random() % 512 : 4096 + random() % 256;
      std::memcpy(reinterpret_cast<std::byte*>(&shared_.results) + at / 8 * 8, &value, 8);
      shared_.results.claims[random() % 4] = random() % 2 == 0 ? random() : Claim{1, 9, 3}.pack();
      shared_.results.header.tail = random() % 512 * 8;
    }
  }
  while (load_acquire(shared_.results.header.tail) == 0) sched_yield();
  int violations = 0;
  unsigned sum = 0;
  for (int run = 0; run < 20000 || violations == 0; ++run) {
    RingReader<Word64> ring(shared_.results.ring, shared_.results.header.tail,
                            shared_.tasks.header.head);
    RingReader<Word64>::Record record;
    Look look = Look::empty;
    for (int i = 0; i != 100 && (look = ring.peek(record)) == Look::record; ++i, ring.pop()) {
      std::vector<std::byte> copy(record.payload.begin(), record.payload.end());
      for (const std::byte each : copy) sum += static_cast<unsigned>(each);
    }
    violations += look == Look::violation;
    const std::uint32_t limit = claim::lower_limit(shared_.results.claims[run % 4], 1, 9, 7, 2);
    EXPECT_TRUE(limit >= 2 && limit <= 7);
    EXPECT_LE(claim::started(shared_.results.claims[run % 4], 1, 9, limit).value_or(0), limit);
  }
  EXPECT_EQ(kill(child, SIGKILL), 0);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_GT(violations, 0) << sum;
}

}  // namespace
}  // namespace procpool::shm
