// Pools in programs that are not quiet: signals rain on every thread, and fifty threads lock and allocate
// while the pool is forked from among them.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crash/pool_of.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

int grow(int number) {  // allocates, as whoever forked may have been doing
  std::vector<std::string> words(20, std::string(100, 'x'));
  return number + static_cast<int>(words.size());
}
int die_at_seven(int number) { return number % 50 == 7 ? raise(SIGKILL) : number; }

class BusyHost : public OfEachMethod {};
INSTANTIATE_TEST_SUITE_P(Of, BusyHost, testing::ValuesIn(all_methods), method_name);

/// Every call that can be interrupted is, by a handler without SA_RESTART.
class SignalRain {
 public:
  SignalRain() {
    struct sigaction action {};
    action.sa_handler = [](int) { ++drops; };
    sigaction(SIGUSR1, &action, &before_);
    rain_ = std::jthread([](const std::stop_token& over) {
      sigset_t none;
      sigemptyset(&none);
      while (!over.stop_requested()) {
        for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
          const pid_t id = std::stoi(thread.path().filename());
          if (id != gettid()) tgkill(getpid(), id, SIGUSR1);
        }
        std::this_thread::yield();
      }
    });
  }
  ~SignalRain() {
    rain_ = {};
    sigaction(SIGUSR1, &before_, nullptr);
  }
  static inline std::atomic<int> drops = 0;

 private:
  struct sigaction before_ {};
  std::jthread rain_;
};

TEST_P(BusyHost, SignalsThatInterruptEveryCall) {
  const SignalRain rain;
  for (int round = 0; round != 3; ++round) {
    Pool pool = pool_of(2);
    std::vector<Future<int>> futures;
    for (int i = 0; i != 300; ++i) futures.push_back(pool.submit(die_at_seven, i));
    const std::string large(300'000, 'x');
    EXPECT_EQ(pool.apply([](const std::string& text) { return text; }, large), large);
    for (int i = 0; i != 300; ++i) {
      if (i % 50 == 7) {
        EXPECT_THROW(futures[static_cast<std::size_t>(i)].get(), WorkerCrashed);
      } else {
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
      }
    }
  }
  EXPECT_GT(rain.drops, 0);
}

TEST_P(BusyHost, FiftyThreadsThatLockAndAllocate) {
  std::atomic<bool> over = false;
  std::mutex shared;
  std::vector<std::thread> threads;
  for (int i = 0; i != 50; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        const auto memory = std::make_unique<std::string>(5000, 'y');
        const std::lock_guard held(shared);
        std::this_thread::yield();
      }
    });
  }
  for (int round = 0; round != 3; ++round) {
    Pool pool = pool_of(2);
    std::vector<int> numbers(200);
    const auto grown = pool.map(grow, numbers);
    EXPECT_TRUE(std::ranges::all_of(grown, [](int number) { return number == 20; }));
    EXPECT_THROW(pool.apply(die_at_seven, 7), WorkerCrashed);
    EXPECT_EQ(pool.apply(grow, 1), 21);
  }
  over = true;
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace procpool::test
