// Processes: how they ended, once, whoever else looks.
#include "os/process.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "os_support.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace {

using namespace procpool;
using namespace std::chrono_literals;
using os::ExitStatus;
using test::error_of;
using test::holds_in_child;
using test::require;

class OsProcess : public test::Census {};

ExitStatus end_of(const std::function<void()>& body) {
  const pid_t pid = test::start_child(body);
  const os::Fd pidfd = os::open_pidfd(pid);
  test::wait_readable(pidfd.get());
  return os::reap(pidfd.get(), pid).value();
}

TEST_F(OsProcess, TellsAnExitFromASignal) {
  const ExitStatus exited = end_of([] { ::_exit(77); });
  EXPECT_EQ(exited.how, ExitStatus::How::exited);
  EXPECT_EQ(exited.value, 77);
  const ExitStatus killed = end_of([] { ::kill(::getpid(), SIGKILL); });
  EXPECT_EQ(killed.how, ExitStatus::How::signaled);
  EXPECT_EQ(killed.value, SIGKILL);
  EXPECT_FALSE(killed.core);
}

TEST_F(OsProcess, ARunningOneIsNotReaped) {
  test::Signpost go;
  const pid_t pid = test::start_child([&] { go.wait(); });
  const os::Fd pidfd = os::open_pidfd(pid);
  EXPECT_FALSE(os::has_exited(pidfd.get()));
  EXPECT_FALSE(os::reap(pidfd.get(), pid));
  EXPECT_TRUE(os::send_signal(pidfd.get(), 0));
  go.tell();
  test::wait_readable(pidfd.get());
  EXPECT_TRUE(os::has_exited(pidfd.get()));
  EXPECT_TRUE(os::reap(pidfd.get(), pid));
  EXPECT_FALSE(os::send_signal(pidfd.get(), 0));
}

// A program may set its limit on open files to 0; poll then refuses to look at a single one.
TEST_F(OsProcess, AnEndIsSeenWhereNoFileMayBeOpen) {
  test::Signpost go;
  const pid_t pid = test::start_child([&] { go.wait(); });
  const os::Fd pidfd = os::open_pidfd(pid);
  const bool seen = holds_in_child([&] {  // whose child it is not
    const rlimit none{0, 0};
    require(::setrlimit(RLIMIT_NOFILE, &none) == 0, "no files");
    require(!os::has_exited(pidfd.get()), "a stranger runs");
  });
  EXPECT_TRUE(seen);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const bool runs = !os::has_exited(pidfd.get());
  go.tell();
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  const bool ended = os::has_exited(pidfd.get());
  const bool reaped = os::reap(pidfd.get(), pid).has_value();
  const bool gone = os::has_exited(pidfd.get());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(runs);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(reaped);
  EXPECT_TRUE(gone);
}

TEST_F(OsProcess, AThiefOfStatusesLeavesItUnknown) {
  const pid_t pid = test::start_child([] { ::_exit(3); });
  const os::Fd pidfd = os::open_pidfd(pid);
  ASSERT_EQ(::waitpid(-1, nullptr, 0), pid);
  ASSERT_TRUE(os::reap(pidfd.get(), pid));
  EXPECT_EQ(os::reap(pidfd.get(), pid)->how, ExitStatus::How::unknown);
}

TEST_F(OsProcess, AHostThatIgnoresItsChildrenLeavesItUnknown) {
  EXPECT_TRUE(holds_in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    test::Signpost go;
    const pid_t pid = test::start_child([&] { go.wait(); });
    const os::Fd pidfd = os::open_pidfd(pid);
    require(!os::reap(pidfd.get(), pid), "it runs");
    go.tell();
    test::wait_readable(pidfd.get());
    const auto status = os::reap(pidfd.get(), pid);
    require(status && status->how == ExitStatus::How::unknown, "unknown");
  }));
}

TEST_F(OsProcess, OneThatIsNotOurChildIsRunningThenUnknown) {
  test::Signpost born;
  test::Signpost go;
  const pid_t parent = test::start_child([&] {
    const pid_t grandchild = test::start_child([&] { go.wait(); });
    born.tell_number(grandchild);
    test::wait_status(grandchild);
  });
  const pid_t grandchild = born.wait();
  const os::Fd pidfd = os::open_pidfd(grandchild);
  EXPECT_FALSE(os::reap(pidfd.get(), grandchild));
  go.tell();
  test::wait_readable(pidfd.get());
  EXPECT_EQ(os::reap(pidfd.get(), grandchild)->how, ExitStatus::How::unknown);
  test::wait_status(parent);
}

// A leader with a child in its group.
struct Family {
  pid_t leader = 0;
  pid_t member = 0;
};

Family make_family() {
  test::Signpost born;
  const pid_t leader = test::start_child([&] {
    require(::setpgid(0, 0) == 0, "setpgid");
    born.tell_number(test::start_child([] { ::pause(); }));
    ::_exit(0);
  });
  return {leader, born.wait()};
}

TEST_F(OsProcess, ReapingKillsTheGroup) {
  const Family family = make_family();
  const os::Fd pidfd = os::open_pidfd(family.leader);
  test::wait_readable(pidfd.get());
  EXPECT_FALSE(test::ended_within(family.member, 0ms));
  EXPECT_EQ(os::reap(pidfd.get(), family.leader)->how, ExitStatus::How::exited);
  EXPECT_TRUE(test::ended_within(family.member, 5s));
}

TEST_F(OsProcess, AGroupWhoseLeaderTheHostReapedIsKilledWhereTheKernelCan) {
  const Family family = make_family();
  const os::Fd pidfd = os::open_pidfd(family.leader);
  test::wait_status(family.leader);
  EXPECT_EQ(os::reap(pidfd.get(), family.leader)->how, ExitStatus::How::unknown);
  if (test::ended_within(family.member, 1s)) return;
  ::kill(family.member, SIGKILL);
  GTEST_SKIP() << "this kernel signals no group by pidfd";
}

TEST_F(OsProcess, TheKernelMayKnowAStatusThatSomebodyElseTook) {
  const auto after_reaping = [](const std::function<void()>& body) {
    const pid_t pid = test::start_child(body);
    const os::Fd pidfd = os::open_pidfd(pid);
    test::wait_readable(pidfd.get());
    EXPECT_EQ(os::status_after_reaping(pidfd.get()).how, ExitStatus::How::unknown) << "a zombie";
    test::wait_status(pid);
    return os::status_after_reaping(pidfd.get());
  };
  const ExitStatus exited = after_reaping([] { ::_exit(77); });
  if (exited.how == ExitStatus::How::unknown) GTEST_SKIP() << "a kernel before 6.15";
  EXPECT_EQ(exited.how, ExitStatus::How::exited);
  EXPECT_EQ(exited.value, 77);
  const ExitStatus killed = after_reaping([] { ::raise(SIGKILL); });
  EXPECT_EQ(killed.how, ExitStatus::How::signaled);
  EXPECT_EQ(killed.value, SIGKILL);
}

TEST_F(OsProcess, WaitsForAnExitUntilTheDeadline) {
  test::Signpost go;
  const pid_t pid = test::start_child([&] { go.wait(); });
  const os::Fd pidfd = os::open_pidfd(pid);
  {
    const test::SignalStorm storm;
    EXPECT_FALSE(os::wait_for_exit(pidfd.get(), Deadline{}));
    EXPECT_FALSE(os::wait_for_exit(pidfd.get(), deadline_after(10ms)));
  }
  go.tell();
  EXPECT_TRUE(os::wait_for_exit(pidfd.get(), never));
  test::wait_status(pid);
}

TEST_F(OsProcess, NoSuchProcessIsNamed) {
  const pid_t pid = test::start_child([] {});
  test::wait_status(pid);
  EXPECT_EQ(error_of([&] { os::open_pidfd(pid); }),
            "pidfd_open: " + std::to_string(pid) + ": No such process");
}

TEST_F(OsProcess, NamesSignals) {
  EXPECT_EQ(os::signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(os::signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(os::signal_name(42), "signal 42");
}

// What a child prints into a file, then one more process that it forks, if it does.
std::string printed_by(const std::function<void()>& print, bool fork_after) {
  const std::string path = testing::TempDir() + "os_process_" + std::to_string(::getpid());
  test::wait_status(test::start_child([&] {
    require(std::freopen(path.c_str(), "w", stdout) != nullptr, "freopen");
    print();
    const pid_t pid = fork_after ? os::fork_process() : 0;
    if (pid > 0) test::wait_status(pid);
    os::exit_now(0);
  }));
  const std::string text = test::text_of(path);
  ::unlink(path.c_str());
  return text;
}

TEST_F(OsProcess, AForkDoesNotPrintBufferedTextTwice) {
  EXPECT_EQ(printed_by([] { std::fputs("once", stdout); }, true), "once");
  EXPECT_EQ(printed_by([] { std::cout << "once"; }, true), "once");
}

TEST_F(OsProcess, EndingFlushesAndRunsNoDestructors) {
  const auto print = [] {
    require(std::atexit([] { std::puts("a static destructor"); }) == 0, "atexit");
    std::cout << "text";
  };
  EXPECT_EQ(printed_by(print, false), "text");
}

TEST_F(OsProcess, AThreadThatReadsStandardInputDoesNotHoldUpAFork) {
  EXPECT_TRUE(holds_in_child([] {
    test::Signpost input;
    require(::dup2(input.read_end(), 0) == 0, "dup2");
    std::thread reader([] { std::fgetc(stdin); });
    while (::ftrylockfile(stdin) == 0) ::funlockfile(stdin);  // until the reader holds it
    const pid_t pid = os::fork_process();
    if (pid == 0) os::exit_now(0);
    require(test::wait_status(pid) == 0, "the child ended");
    input.tell();
    reader.join();
  }));
}

TEST_F(OsProcess, ForkAtTheLimitIsAnErrorThatNamesIt) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_clone, EAGAIN);
    const std::string text = error_of([] { os::fork_process(); });
    require(text == "fork: Resource temporarily unavailable", text.c_str());
  }));
}

}  // namespace
