// Fresh executions: what they inherit, what they do not, and what is left when they cannot start.
#include "os/spawn.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "os/event.hpp"
#include "os/host.hpp"
#include "os/process.hpp"
#include "os_support.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace {

using namespace procpool;
using test::error_of;
using test::holds_in_child;
using test::require;

// Prints the numbers of the shell's own descriptors.
constexpr const char* list_descriptors =
    "cd /proc/$$/fd; for i in *; do [ -e $i ] && printf '%s ' $i; done; true";

class OsSpawn : public test::Census {};

// Its exit code; -1 for any other end.
int finish(const os::Spawned& child) {
  test::wait_readable(child.pidfd.get());
  const auto status = os::reap(child.pidfd.get(), child.pid);
  return status && status->how == os::ExitStatus::How::exited ? status->value : -1;
}

// What a shell script writes into the inherited descriptor 9.
std::string output_of(const std::string& script, const std::vector<std::string>& more = {}) {
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, "pipe2");
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  std::vector<std::string> arguments{"-c", "exec >&9; " + script};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const os::Spawned child = os::spawn("/bin/sh", arguments, out, 9);
  out.reset();
  std::string text;
  std::array<char, 1024> part;
  for (ssize_t n = 0; (n = ::read(in.get(), part.data(), part.size())) != 0;) {
    if (n > 0) text.append(part.data(), static_cast<std::size_t>(n));
  }
  finish(child);
  return text;
}

TEST_F(OsSpawn, PassesArgumentsAndTheEnvironment) {
  ::setenv("PROCPOOL_TEST_WORD", "a word", 1);
  EXPECT_EQ(
      output_of("printf '%s|%s|%s' \"$1\" \"$2\" \"$PROCPOOL_TEST_WORD\"", {"sh", "", "two words"}),
      "|two words|a word");
  ::unsetenv("PROCPOOL_TEST_WORD");
}

TEST_F(OsSpawn, TheChildHasTheInheritedDescriptorAndNoOther) {
  const os::Fd leaky(::open("/dev/null", O_RDONLY));  // not close-on-exec, on purpose
  const std::string listed = output_of(list_descriptors);
  EXPECT_EQ(listed, "0 1 2 9 ") << listed;
}

TEST_F(OsSpawn, ADescriptorKeepsItsOwnNumber) {
  const os::Fd event = os::make_event();
  const os::Fd at(::fcntl(event.get(), F_DUPFD_CLOEXEC, 40));
  ASSERT_EQ(at.get(), 40);
  EXPECT_EQ(finish(os::spawn("/bin/sh", {"-c", "test -e /proc/$$/fd/40"}, at, 40)), 0);
  EXPECT_EQ(finish(os::spawn("/bin/sh", {"-c", "! test -e /proc/$$/fd/40"}, {}, 40)), 0);
}

// The child runs this same test and takes the other branch.
TEST_F(OsSpawn, ThisProgramAgainKeepsItsName) {
  const std::string name = os::command_line().front();
  if (const char* expected = std::getenv("PROCPOOL_TEST_NAME")) {
    EXPECT_EQ(name, expected);
    return;
  }
  ::setenv("PROCPOOL_TEST_NAME", name.c_str(), 1);
  EXPECT_EQ(finish(os::spawn({}, {"--gtest_filter=OsSpawn.ThisProgram*"}, {}, -1)), 0);
  ::unsetenv("PROCPOOL_TEST_NAME");
}

TEST_F(OsSpawn, AMissingProgramIsNamedAndLeavesNoZombie) {
  EXPECT_EQ(error_of([] { os::spawn("/nowhere/program", {}, {}, -1); }),
            "execve: /nowhere/program: No such file or directory");
  EXPECT_EQ(error_of([] { os::spawn("/etc/passwd", {}, {}, -1); }),
            "execve: /etc/passwd: Permission denied");
  EXPECT_TRUE(test::descendants(::getpid()).empty());
}

// Thread sanitizer turns vfork into fork, and the error stays in the child.
#if !defined(__SANITIZE_THREAD__)
TEST_F(OsSpawn, WhatExecAloneFindsOutIsNamedToo) {
  const std::string path = testing::TempDir() + "os_spawn_" + std::to_string(::getpid());
  std::ofstream(path) << "neither a program nor a script";
  ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(error_of([&] { os::spawn(path, {}, {}, -1); }),
              "execve: " + path + ": Exec format error");
    EXPECT_TRUE(test::descendants(::getpid()).empty());
  }
  ::unlink(path.c_str());
}
#endif

TEST_F(OsSpawn, AHostsMaskIsKeptAndItsHandlersDoNotRunInTheChild) {
  EXPECT_TRUE(holds_in_child([] {
    sigset_t some;
    ::sigemptyset(&some);
    ::sigaddset(&some, SIGTERM);
    ::pthread_sigmask(SIG_SETMASK, &some, nullptr);
    const os::Spawned child =  // a shell would clear its mask
        os::spawn("/bin/grep", {"-q", "SigBlk:.0000000000004000", "/proc/self/status"}, {}, -1);
    require(finish(child) == 0, "the child's mask");
    sigset_t after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    require(::sigismember(&after, SIGTERM) == 1 && ::sigismember(&after, SIGINT) == 0, "ours");
    ::sigfillset(&some);
    ::pthread_sigmask(SIG_SETMASK, &some, nullptr);
    require(finish(os::spawn("/bin/true", {}, {}, -1)) == 0, "spawned with all blocked");
  }));
}

TEST_F(OsSpawn, WorksWhereChildrenAreIgnored) {
  EXPECT_TRUE(holds_in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    const os::Spawned child = os::spawn("/bin/sleep", {"60"}, {}, -1);
    require(!os::has_exited(child.pidfd.get()), "it runs");
    os::send_signal(child.pidfd.get(), SIGKILL);
    require(finish(child) == -1, "its status is lost");
  }));
}

TEST_F(OsSpawn, WorksOnKernelsWithoutCloseRange) {
  EXPECT_TRUE(holds_in_child([] {
    const os::Fd leaky(::open("/dev/null", O_RDONLY));
    test::limit(RLIMIT_NOFILE, 256);
    test::refuse(SYS_close_range, ENOSYS);
    require(output_of(list_descriptors) == "0 1 2 9 ", "only the inherited one");
  }));
}

TEST_F(OsSpawn, WorksInASignalStorm) {
  const test::SignalStorm storm;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(finish(os::spawn("/bin/true", {}, {}, -1)), 0);
}

TEST_F(OsSpawn, WithoutADescriptorForItThereIsNoChild) {
  EXPECT_TRUE(holds_in_child([] {
    std::vector<os::Fd> all;
    test::limit(RLIMIT_NOFILE, 32);
    while (error_of([&] { all.push_back(os::make_event()); }).empty()) continue;
    const std::string text = error_of([] { os::spawn("/bin/sleep", {"60"}, {}, -1); });
    require(text.starts_with("pidfd_open: "), text.c_str());
    require(text.ends_with(": Too many open files"), text.c_str());
    require(::waitpid(-1, nullptr, 0) == -1 && errno == ECHILD, "no child is left");
  }));
}

TEST_F(OsSpawn, FourThreadsAtOnceLeakNothingIntoEachOthersChildren) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&good] {
      for (int n = 0; n < 25; ++n) good += output_of(list_descriptors) == "0 1 2 9 " ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
}

}  // namespace
