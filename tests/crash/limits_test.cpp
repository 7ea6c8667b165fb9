// What a worker may use: the task that wants more has an error, and the pool goes on.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <procpool/shared.hpp>

#include "crash/pool_of.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t megabyte = std::size_t{1} << 20;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool memory_is_shadowed = true;  // of terabytes that count as private
#else
constexpr bool memory_is_shadowed = false;
#endif

class Limited : public OfEachMethod {
 protected:
  static Pool limited(const Limits& limits, int processes = 1) {
    PoolOptions options = options_of(GetParam(), processes);
    options.limits = limits;
    return Pool(options);
  }
};
INSTANTIATE_TEST_SUITE_P(Of, Limited, testing::ValuesIn(all_methods), method_name);

template <class E, class Call>
std::string text_of(Call call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t touch(std::size_t bytes) {
  const std::vector<char> memory(bytes, 'm');
  return static_cast<std::size_t>(std::count(memory.begin(), memory.end(), 'm'));
}

TEST_P(Limited, P_JOB_04_MoreMemoryIsBadAllocAndTheWorkerLives) {
  if (memory_is_shadowed) GTEST_SKIP();
  Pool pool = limited({.memory_bytes = 512 * megabyte});
  const auto pids = pool.pids();
  for (int round = 0; round != 3; ++round) {
    EXPECT_THROW(pool.apply(touch, 600 * megabyte), std::bad_alloc);
    EXPECT_EQ(pool.apply(touch, 16 * megabyte), 16 * megabyte);
  }
  EXPECT_EQ(pool.pids(), pids);
}

// Shared memory does not count: what the pool itself moves is not the task's.
TEST_P(Limited, P_JOB_04_LargeValuesTravelAsEver) {
  if (memory_is_shadowed) GTEST_SKIP();
  Pool pool = limited({.memory_bytes = 128 * megabyte});
  SharedArray<char> array(160 * megabyte);
  const auto length = [](const SharedArray<char>& all) { return all.size(); };
  EXPECT_EQ(pool.apply(length, array), array.size());
}

int leak_everything() {
  for (;;) {
    char* const bytes = new char[64];           // NOLINT: that is the point
    asm volatile("" : : "r"(bytes) : "memory");  // so that the compiler leaves none out
  }
}
pid_t who() { return getpid(); }

// Not a byte is left for telling home of it.
TEST_P(Limited, P_JOB_04_ATaskThatLeavesNothingHasItsErrorAndItsWorkerIsReplaced) {
  if (memory_is_shadowed) GTEST_SKIP();
  Pool pool = limited({.memory_bytes = 256 * megabyte});
  const auto first = pool.pids();
  EXPECT_THROW(pool.apply(leak_everything), std::bad_alloc);
  for (pid_t now = first.front(); now == first.front();) {
    try {
      now = pool.apply(who);
    } catch (const std::bad_alloc&) {
      continue;  // until its successor is there
    }
  }
  EXPECT_EQ(pool.stats().workers_crashed, 0U);
  EXPECT_EQ(pool.apply(touch, 16 * megabyte), 16 * megabyte);
}

TEST_P(Limited, P_JOB_04_TooLittleMemoryToStartIsSaid) {
  const std::string text = text_of<PoolBroken>([] { limited({.memory_bytes = 4096}); });
  EXPECT_TRUE(contains(text, "memory_bytes is 4096")) << text;
  EXPECT_TRUE(contains(text, "bytes of private memory already")) << text;
}

int spin() {
  for (volatile bool on = true; on;) continue;
  return 0;
}
int spin_deaf() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  return spin();
}
int plus_one(int x) { return x + 1; }

// The worst that the ladder can meet: no token is looked at, no signal comes through.
TEST_P(Limited, P_JOB_02_ATaskThatBlocksAllSignalsAndLoopsStillDies) {
  Pool pool = pool_of(1);
  const CancelOptions soon{.stop_grace = 10ms, .term_grace = 10ms};
  EXPECT_THROW(pool.with({.timeout = 20ms, .cancel = soon}).apply(spin_deaf), TaskTimeout);
  const auto future = pool.with({.cancel = soon}).submit(spin_deaf);
  while (!future.running()) std::this_thread::yield();
  EXPECT_TRUE(future.cancel());
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

TEST_P(Limited, P_JOB_04_CpuTimeIsNamed) {
  Pool pool = limited({.cpu_time = 1ms});  // rounded up
  try {
    pool.apply(spin);
    FAIL() << "it came back";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGXCPU) << crash.what();
    EXPECT_TRUE(contains(crash.what(), "the 1 s of CPU time")) << crash.what();
  }
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

TEST(Limits, P_JOB_04_CpuTimeEndsWhoBlocksAllSignals) {
  Pool pool(PoolOptions{.processes = 1, .limits = {.cpu_time = 1s}});
  try {
    pool.apply(spin_deaf);
    FAIL() << "it came back";
  } catch (const WorkerCrashed& crash) {
    EXPECT_EQ(crash.signal(), SIGKILL) << crash.what();
    EXPECT_TRUE(contains(crash.what(), "CPU time")) << crash.what();
  }
  EXPECT_EQ(pool.apply(plus_one, 1), 2);
}

/// How many descriptors could be opened, and why no more. They stay open.
std::pair<int, int> open_all() {
  for (int count = 0;; ++count) {
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return {count, errno};
  }
}
std::size_t length_of(std::string_view text) { return text.size(); }
std::string letters(std::size_t count) { return std::string(count, 'l'); }

TEST_P(Limited, P_JOB_04_DescriptorsAreCountedAndThePoolsOwnStayUsable) {
  Pool pool = limited({.open_files = 5});
  const auto pids = pool.pids();
  EXPECT_EQ(pool.apply(open_all), std::pair(5, EMFILE));
  EXPECT_EQ(pool.apply(open_all), std::pair(0, EMFILE));
  const std::string large(8 * megabyte, 'x');  // comes and goes by descriptor
  EXPECT_EQ(pool.apply(length_of, large), large.size());
  EXPECT_EQ(pool.apply(letters, 8 * megabyte).size(), 8 * megabyte);
  SharedArray<int> array(1000);  // a handle is a descriptor of the task's
  const auto first = [](const SharedArray<int>& all) { return all[0]; };
  EXPECT_THROW(pool.apply(first, array), std::system_error);
  EXPECT_THROW(
      pool.apply([]() -> int { throw std::out_of_range("as ever"); }), std::out_of_range);
  EXPECT_EQ(pool.pids(), pids);
}

TEST_P(Limited, P_JOB_04_NoDescriptorsAtAll) {
  Pool pool = limited({.open_files = 0});
  EXPECT_EQ(pool.apply(open_all), std::pair(0, EMFILE));
  EXPECT_EQ(pool.with({.timeout = 60s}).apply(plus_one, 1), 2);
}

/// What could be written, and why no more.
std::pair<long, int> write_much(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string text(1000, 't');
  long all = 0;
  ssize_t written = 0;
  while ((written = write(file, text.data(), text.size())) > 0) all += written;
  const int why = errno;
  close(file);
  return {all, why};
}

TEST_P(Limited, P_JOB_04_ALongFileIsAnErrorOfWriting) {
  Pool pool = limited({.file_bytes = 10'500});
  const auto pids = pool.pids();
  const std::string path = testing::TempDir() + "procpool_long_" + std::to_string(getpid());
  EXPECT_EQ(pool.apply(write_much, path), std::pair(10'500L, EFBIG));
  unlink(path.c_str());
  EXPECT_EQ(pool.pids(), pids);
}

std::uint64_t core_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  return limit.rlim_cur;
}

// 1, which the kernel knows as "not even to a program"; or what the program may have, if that is less.
TEST_P(Limited, P_JOB_04_CoreDumps) {
  rlimit here{};
  getrlimit(RLIMIT_CORE, &here);
  Pool none = limited({.core_bytes = 0});
  EXPECT_EQ(none.apply(core_limit), std::min<rlim_t>(1, here.rlim_max));
  Pool some = limited({.core_bytes = 100'000});
  EXPECT_EQ(some.apply(core_limit), std::min<rlim_t>(100'000, here.rlim_max));
}

std::uint64_t file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  return limit.rlim_max;
}
void remember_limit(SharedValue<std::uint64_t> seen) { seen.store(file_limit()); }

TEST_P(Limited, P_JOB_04_TheInitializerAndReplacementsAreHeldToThem) {
  const SharedValue<std::uint64_t> seen(0);
  PoolOptions options = options_of(GetParam(), 1);
  options.limits.file_bytes = 12'345;
  options.initializer = partial(remember_limit, seen);
  Pool pool(options);
  EXPECT_EQ(seen.load(), 12'345U);
  for (const pid_t worker : pool.pids()) kill_worker(worker);
  std::uint64_t limit = 0;
  while (limit == 0) {
    try {
      limit = pool.apply(file_limit);
    } catch (const WorkerCrashed&) {
      continue;
    }
  }
  EXPECT_EQ(limit, 12'345U);
}

TEST(Limits, P_JOB_04_OutOfRangeIsMisuse) {
  const auto refused = [](const Limits& limits) {
    return text_of<Misuse>([&] { Pool(PoolOptions{.processes = 1, .limits = limits}); });
  };
  EXPECT_TRUE(contains(refused({.memory_bytes = 0}), "memory_bytes"));
  EXPECT_TRUE(contains(refused({.cpu_time = 0s}), "cpu_time"));
  EXPECT_TRUE(contains(refused({.cpu_time = -1s}), "cpu_time"));
}

}  // namespace
}  // namespace procpool::test
