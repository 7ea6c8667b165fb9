// P-CRASH-54: the supervisor's process is SIGKILLed. A second later nothing of it is left. What is
// its own is told by a mark in the environment, which every process that comes of it inherits.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstdio>
#include <filesystem>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"
#include "support/processes.hpp"

namespace procpool::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Marked {
  pid_t pid;
  std::string name;
  int handle;  // pidfd: it cannot become another's
};

/// The processes that bear a mark and are no zombies.
class Marking {
 public:
  explicit Marking(const std::string& mark) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string number = entry.path().filename();
      if (number.find_first_not_of("0123456789") == std::string::npos) look(std::stoi(number), mark);
    }
  }
  ~Marking() {
    for (const Marked& one : found_) close(one.handle);
  }
  Marking(const Marking&) = delete;
  Marking& operator=(const Marking&) = delete;

  const std::vector<Marked>& found() const { return found_; }

 private:
  void look(pid_t pid, const std::string& mark) {
    if (text_of("/proc/" + std::to_string(pid) + "/environ").find(mark) == std::string::npos) return;
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) return;
    pollfd ended{handle, POLLIN, 0};
    if (poll(&ended, 1, 0) > 0) {
      close(handle);
      return;
    }
    found_.push_back({pid, text_of("/proc/" + std::to_string(pid) + "/comm"), handle});
  }

  std::vector<Marked> found_;
};

/// A running host, its room, and the mark of everything that comes of it.
class Host {
 public:
  Host(StartMethod method, const char* mode) : mark_("PROCPOOL_CRASH_MARK=" + room_.path()) {
    const std::string program = PROCPOOL_CRASH_HOST;
    std::vector<std::string> words{program, name_of(method), mode, room_.path()};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (char** at = environ; *at != nullptr; ++at) environment.push_back(*at);
    environment.push_back(mark_.data());
    environment.push_back(nullptr);
    if (posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv.data(), environment.data()) !=
        0) {
      throw std::runtime_error("posix_spawn " + program);
    }
  }
  ~Host() {
    const Marking left(mark_);  // after a failure: leave nothing behind
    for (const Marked& one : left.found()) {
      syscall(SYS_pidfd_send_signal, one.handle, SIGKILL, nullptr, 0);
    }
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  Room& room() { return room_; }

  void kill_template_first() const {
    const Marking all(mark_);
    for (const Marked& one : all.found()) {
      if (!one.name.starts_with("procpool-templ")) continue;
      syscall(SYS_pidfd_send_signal, one.handle, SIGKILL, nullptr, 0);
    }
  }
  void kill_host() {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  std::size_t count() const { return Marking(mark_).found().size(); }

  /// Nothing bears the mark any more within a second.
  void expect_nothing_left() const {
    const auto deadline = Clock::now() + std::chrono::seconds(1);
    for (;;) {
      const Marking left(mark_);
      if (left.found().empty()) return;
      for (const Marked& one : left.found()) {
        const auto patience =
            std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
        pollfd ended{one.handle, POLLIN, 0};
        if (patience > 0 && poll(&ended, 1, static_cast<int>(patience)) > 0) continue;
        ADD_FAILURE() << "left behind: process " << one.pid << " " << one.name;
      }
      if (Clock::now() >= deadline) return;
    }
  }

 private:
  Room room_;
  std::string mark_;
  pid_t pid_ = -1;
};

std::set<std::string> named_memory() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    const std::string name = entry.path().filename();
    if (name.find("procpool") != std::string::npos) names.insert(name);
  }
  return names;
}

class P_CRASH_54_HostKilled : public OfEachMethod {
 protected:
  ~P_CRASH_54_HostKilled() override { EXPECT_TRUE(named_memory().empty()); }

  static constexpr std::size_t workers = 2;
  static std::size_t processes_when_idle() {
    return 1 + workers + (GetParam() == StartMethod::spawn ? 0 : 1);
  }
  static void await_busy(Host& host) {
    for (std::size_t i = 0; i < workers; ++i) host.room().next_report();
  }
};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_54_HostKilled, testing::ValuesIn(all_methods), method_name);

TEST_P(P_CRASH_54_HostKilled, Idle) {
  Host host(GetParam(), "idle");
  host.room().next_report();
  EXPECT_EQ(host.count(), processes_when_idle());
  host.kill_host();
  host.expect_nothing_left();
}

TEST_P(P_CRASH_54_HostKilled, BusyWithTasksDeafToSignalsThatHaveChildren) {
  Host host(GetParam(), "busy");
  await_busy(host);
  EXPECT_EQ(host.count(), processes_when_idle() + workers) << "a child of each task";
  host.kill_host();
  host.expect_nothing_left();
}

TEST_P(P_CRASH_54_HostKilled, BusyWithTasksThatHaveClosedAllDescriptors) {
  Host host(GetParam(), "unmoored");
  await_busy(host);
  host.kill_host();
  host.expect_nothing_left();
}

TEST_P(P_CRASH_54_HostKilled, P_PROC_01_ProcessesDeafToSignalsThatHaveChildren) {
  Host host(GetParam(), "processes");
  await_busy(host);
  const std::size_t templates = GetParam() == StartMethod::forkserver ? 1 : 0;
  EXPECT_EQ(host.count(), 1 + templates + 2 * workers);
  host.kill_host();
  host.expect_nothing_left();
}

TEST_P(P_CRASH_54_HostKilled, TheTemplateFirst) {
  if (GetParam() == StartMethod::spawn) GTEST_SKIP() << "spawn has no template process";
  for (const std::string mode : {"idle", "busy", "processes"}) {
    SCOPED_TRACE(mode);
    Host host(GetParam(), mode.c_str());
    if (mode == "idle") {
      host.room().next_report();
    } else {
      await_busy(host);
    }
    host.kill_template_first();
    host.kill_host();
    host.expect_nothing_left();
  }
}

/// The pause is the random moment; nothing waits for it.
void let_live(Host& host, milliseconds time) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  pollfd never_ends{handle, POLLIN, 0};
  poll(&never_ends, 1, static_cast<int>(time.count()));
  close(handle);
  host.kill_host();
}

TEST_P(P_CRASH_54_HostKilled, AtRandomMoments) {
  const char* given = std::getenv("PROCPOOL_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  std::printf("seed %u (PROCPOOL_SEED repeats it)\n", seed);
  std::mt19937 random(seed);
  const int rounds = GetParam() == StartMethod::spawn ? 40 : 80;  // 200 in all
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(round);
    Host host(GetParam(), "churn");
    if (round % 2 != 0) host.room().next_report();  // half of them before their first pool is up
    let_live(host, milliseconds(random() % 60));
    host.expect_nothing_left();
  }
}

}  // namespace
}  // namespace procpool::test
