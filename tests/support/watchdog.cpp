#include "support/watchdog.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "support/processes.hpp"

namespace procpool::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// All dumps together; ctest's own limit comes 15 s after ours.
constexpr std::chrono::seconds dump_time{10};

// gdb prints every thread's stack to our stderr. False when it cannot: missing, refused, too slow.
bool dump_with_gdb(pid_t pid, milliseconds patience) {
  std::string target = std::to_string(pid);
  const char* const arguments[] = {"gdb",  "-nx",
                                   "-q",   "-batch",
                                   "-iex", "set debuginfod enabled off",
                                   "-p",   target.c_str(),
                                   "-ex",  "thread apply all backtrace",
                                   nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t gdb = 0;
  const int error =
      posix_spawnp(&gdb, "gdb", &actions, nullptr, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  if (!ended_within(gdb, patience)) kill(gdb, SIGKILL);
  int status = -1;
  waitpid(gdb, &status, 0);
  return status == 0;
}

// What the kernel tells about a process that cannot be traced.
void dump_from_proc(pid_t pid) {
  for (const char* file : {"wchan", "stack", "status"}) {
    const std::string text = text_of("/proc/" + std::to_string(pid) + "/" + file);
    std::fprintf(stderr, "%s: %s\n", file, text.c_str());
  }
}

void dump(const ProcessInfo& process, Clock::time_point deadline) {
  std::fprintf(stderr, "\n[ WATCHDOG ] process %d (%s), state %c, child of %d\n", process.pid,
               process.name.c_str(), process.state, process.parent);
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
  if (left <= milliseconds{0} || !dump_with_gdb(process.pid, left)) dump_from_proc(process.pid);
}

[[noreturn]] void fail_with_all_stacks(const std::string& test) {
  std::fprintf(stderr, "\n[ WATCHDOG ] %s hangs. All stacks:\n", test.c_str());
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const auto deadline = Clock::now() + dump_time;
  const auto family = descendants(getpid());
  dump({getpid(), getppid(), 'R', "this test program"}, deadline);
  for (const auto& process : family) dump(process, deadline);
  for (const auto& process : family) kill(process.pid, SIGKILL);
  std::fprintf(stderr, "\n[ WATCHDOG ] %s hangs. Its stacks are above.\n", test.c_str());
  std::abort();
}

// The watch over one test. Its thread takes no signals: they are the test's.
class Watch {
 public:
  Watch(std::string test, std::chrono::seconds limit) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::jthread([this, test = std::move(test), limit](std::stop_token over) {
      std::unique_lock lock(mutex_);
      // What it returns does not tell: libstdc++ 12 says false when the stop comes amid the call.
      end_.wait_for(lock, over, limit, [&] { return over.stop_requested(); });
      if (!over.stop_requested()) fail_with_all_stacks(test);
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any end_;
  std::jthread thread_;
};

// Owned by nobody: a child that a test forked may exit() and destroy all that is static, and has no
// thread that could be joined.
Watch* current_watch = nullptr;

class Watchdog : public testing::EmptyTestEventListener {
 public:
  explicit Watchdog(std::chrono::seconds limit) : limit_(limit) {}

 private:
  void OnTestStart(const testing::TestInfo& test) override {
    current_watch = new Watch(std::string(test.test_suite_name()) + "." + test.name(), limit_);
  }
  void OnTestEnd(const testing::TestInfo&) override {
    delete std::exchange(current_watch, nullptr);
  }

  const std::chrono::seconds limit_;
};

}  // namespace

void install_watchdog() {
  const char* text = std::getenv("PROCPOOL_TEST_TIMEOUT");
  const std::chrono::seconds limit{text ? std::atoi(text) : 0};
  if (limit.count() > 0) {
    testing::UnitTest::GetInstance()->listeners().Append(new Watchdog(limit));
  }
}

}  // namespace procpool::test
