// P-CRASH-55: a worker writes random bytes over everything that it shares and can write. The
// supervisor lives; at worst the tasks handed to that worker are lost, never another worker's.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"
#include "shm/layout.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

int twice(int number) { return 2 * number; }
int getpid_of_this() { return getpid(); }

struct Span {
  std::uintptr_t first, last;
};

std::vector<Span> writable_shared_memory() {
  std::vector<Span> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-s ") == std::string::npos || line.find("memfd:") == std::string::npos) continue;
    Span span{};
    if (std::sscanf(line.c_str(), "%lx-%lx", &span.first, &span.last) == 2) found.push_back(span);
  }
  return found;
}

/// How many bytes there were to write; 0 would mean that nothing was tested.
int scribble(unsigned seed) {
  std::mt19937 random(seed);
  int bytes = 0;
  for (const Span& span : writable_shared_memory()) {
    for (std::uintptr_t at = span.first; at < span.last; ++at, ++bytes) {
      *reinterpret_cast<volatile unsigned char*>(at) = static_cast<unsigned char>(random());
    }
  }
  return bytes;
}

int scribble_in_task(std::string room, unsigned seed) {
  note(room, getpid());
  return scribble(seed);
}

/// Scribbles when the gate opens, and then ends the worker: what sleeps on a forged word sleeps on.
int scribble_later(std::string room, unsigned seed) {
  std::thread([room = std::move(room), seed] {
    await_gate(room);
    scribble(seed);
    _exit(0);
  }).detach();
  return getpid();
}

/// The word by which it says that it sleeps.
volatile std::uint32_t& sleep_word() {
  constexpr std::size_t asleep = offsetof(shm::ResultHeader, asleep);
  for (const Span& span : writable_shared_memory()) {
    if (span.last - span.first != sizeof(shm::ResultMemory)) continue;
    return *reinterpret_cast<volatile std::uint32_t*>(span.first + asleep);
  }
  throw std::logic_error("no control page");
}

/// Says that it is awake as soon as it sleeps.
int sleep_awake(std::string room) {
  std::thread([&word = sleep_word(), room = std::move(room)] {
    while (word % 2 == 0) std::this_thread::yield();
    word = word + 1;
    report(room, getpid());
  }).detach();
  return getpid();
}

class P_CRASH_55_Scribbler : public OfEachMethod {
 protected:
  /// Its value, or the loss of a worker that scribbles or has scribbled: damage can show late.
  void expect_harmless(const Future<int>& future, int value, pid_t scribbler) {
    scribblers_.insert(scribbler);
    try {
      EXPECT_EQ(future.get(), value);
    } catch (const WorkerCrashed& crash) {
      EXPECT_TRUE(scribblers_.contains(crash.pid())) << crash.what();
    }
  }
  std::vector<Future<int>> submit_others(Pool& pool) {
    std::vector<Future<int>> others;
    for (int i = 0; i < 50; ++i) others.push_back(pool.submit(twice, i));
    return others;
  }
  void check_others(const std::vector<Future<int>>& others, pid_t scribbler) {
    for (int i = 0; i < 50; ++i) expect_harmless(others[static_cast<std::size_t>(i)], 2 * i, scribbler);
  }
  unsigned seed() {
    const unsigned seed = next_++;
    std::printf("seed %u\n", seed);
    return seed;
  }

  Room room_;
  std::set<pid_t> scribblers_;
  unsigned next_ = std::random_device()();
};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_55_Scribbler, testing::ValuesIn(all_methods), method_name);

TEST_P(P_CRASH_55_Scribbler, InATask) {
  Pool pool = pool_of(2);
  constexpr int results_bytes = sizeof(shm::ResultMemory);  // nothing else is writable
  for (int round = 0; round < 20; ++round) {
    const auto scribbling = pool.submit(scribble_in_task, room_.path(), seed());
    const auto others = submit_others(pool);
    // It may never run: handed to a worker that scribbled before, and is ended for it only now.
    scribbling.wait();
    const auto noted = room_.notes();
    const auto scribbler = noted.empty() ? pid_t{0} : static_cast<pid_t>(noted.back());
    expect_harmless(scribbling, results_bytes, scribbler);
    check_others(others, scribbler);
  }
  EXPECT_EQ(pool.with(TaskOptions{.retries = 20}).apply(twice, 21), 42);
}

TEST_P(P_CRASH_55_Scribbler, BetweenTasks) {
  Pool pool = pool_of(2);
  // A call may fall into the hands of the last scribbler, whose end has not been noticed yet.
  const auto retried = pool.with(TaskOptions{.retries = 20});
  for (int round = 0; round < 20; ++round) {
    const auto scribbler = static_cast<pid_t>(retried.apply(scribble_later, room_.path(), seed()));
    const auto others = submit_others(pool);
    room_.open_gate();
    EXPECT_TRUE(ended_within(scribbler, std::chrono::seconds(10)));  // perhaps amid its scribbling
    check_others(others, scribbler);
  }
  EXPECT_EQ(pool.with(TaskOptions{.retries = 20}).apply(twice, 21), 42);
}

TEST_P(P_CRASH_55_Scribbler, AWorkerThatSleepsOnAForgedWordIsWokenForItsCall) {
  Pool pool = pool_of(1);
  const int pid = pool.apply(sleep_awake, room_.path());
  EXPECT_EQ(room_.next_report(), pid);
  EXPECT_EQ(pool.apply(getpid_of_this), pid);
}

}  // namespace
}  // namespace procpool::test
