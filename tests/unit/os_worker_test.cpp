// What a fresh worker does to itself, and what a template does with orphans.
#include "os/worker_setup.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <set>

#include "os/event.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"
#include "os_support.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace {

using namespace procpool;
using namespace std::chrono_literals;
using test::error_of;
using test::holds_in_child;
using test::require;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

void (*handler_of(int signal))(int) {
  struct sigaction action {};
  require(::sigaction(signal, nullptr, &action) == 0, "sigaction");
  return action.sa_handler;
}

class OsWorker : public test::Census {};

TEST_F(OsWorker, HasDefaultSignalsAndAnEmptyMask) {
  EXPECT_TRUE(holds_in_child([] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGUSR1, [](int) {});
    ::signal(SIGCHLD, SIG_IGN);
    os::become_worker("test-worker");
    for (const int signal : {SIGTERM, SIGUSR1, SIGCHLD, SIGHUP, SIGRTMIN, SIGRTMAX}) {
      require(handler_of(signal) == SIG_DFL, "default");
    }
    require(handler_of(SIGINT) == SIG_IGN && handler_of(SIGPIPE) == SIG_IGN, "ignored");
    sigset_t mask;
    ::sigprocmask(SIG_SETMASK, nullptr, &mask);
    require(::sigisemptyset(&mask) == 1, "empty mask");
  }));
}

TEST_F(OsWorker, LeadsItsGroupUnderItsNameWithoutInput) {
  EXPECT_TRUE(holds_in_child([] {
    os::become_worker("test-worker-with-a-long-name");
    require(::getpgrp() == ::getpid(), "group");
    require(test::text_of("/proc/self/comm") == "test-worker-wit\n", "name");
    char byte = 0;
    require(::read(0, &byte, 1) == 0, "end of input");
    os::become_worker("again");
    require(::getpgrp() == ::getpid(), "still");
  }));
  EXPECT_TRUE(holds_in_child([] {
    ::close(0);
    os::become_worker("no-stdin");
    char byte = 0;
    require(::read(0, &byte, 1) == 0, "end of input");
    require((::fcntl(0, F_GETFD) & FD_CLOEXEC) == 0, "kept over exec");
  }));
}

TEST_F(OsWorker, ErrorsNameTheCall) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_setpgid, EPERM);
    const std::string text = error_of([] { os::become_worker("w"); });
    require(text == "setpgid: Operation not permitted", text.c_str());
  }));
}

TEST_F(OsWorker, ClosesAllButWhatIsKept) {
  EXPECT_TRUE(holds_in_child([] {
    for (int fd = 3; fd < 60; ++fd) require(::dup2(1, fd) == fd, "dup2");
    const std::array keep{17, 5, -1, 17, 33};
    os::close_all_but(keep.data(), 5);
    std::set<int> open;
    for (int fd = 3; fd < 1000; ++fd) {
      if (is_open(fd)) open.insert(fd);
    }
    require(open == std::set<int>{5, 17, 33}, "the kept ones");
    os::close_all_but(nullptr, 0);
    require(!is_open(5) && is_open(2), "none kept");
  }));
}

TEST_F(OsWorker, ClosesThemOnKernelsWithoutCloseRangeToo) {
  EXPECT_TRUE(holds_in_child([] {
    for (int fd = 3; fd < 60; ++fd) require(::dup2(1, fd) == fd, "dup2");
    test::limit(RLIMIT_NOFILE, 256);
    test::refuse(SYS_close_range, ENOSYS);
    const int keep = 20;
    os::close_all_but(&keep, 1);
    require(!is_open(19) && is_open(20) && !is_open(21), "the kept one");
  }));
}

TEST_F(OsWorker, NumbersClosedTogetherAreNoLongerGuarded) {
  const os::Fd guarded = os::guard(os::make_event());
  const int number = guarded.get();
  const pid_t pid = os::fork_unguarded();
  if (pid == 0) {
    os::close_all_but(nullptr, 0);
    require(::dup2(1, number) == number, "a file of the task");
    require(holds_in_child([&] { require(is_open(number), "still the task's"); }), "fork");
    ::_exit(0);
  }
  EXPECT_EQ(test::wait_status(pid), 0);
}

bool is_that(pid_t pid, void* known) { return pid == *static_cast<pid_t*>(known); }

TEST_F(OsWorker, ATemplateEndsAdoptedOrphansAndNoWorkers) {
  EXPECT_TRUE(holds_in_child([] {
    os::become_template("test-template");
    test::Signpost born;
    pid_t worker = test::start_child([] { ::pause(); });
    // Its grandchild leaves the group and loses its parent: the template is its parent now. It has
    // a child of its own, which becomes an orphan in turn.
    test::wait_status(test::start_child([&] {
      test::start_child([&] {
        ::setsid();
        born.tell_number(test::start_child([] { ::pause(); }));
        ::pause();
      });
    }));
    const pid_t last = born.wait();
    os::kill_orphans(is_that, &worker);
    require(::kill(last, 0) < 0 && errno == ESRCH, "the last orphan is reaped");
    require(::kill(worker, 0) == 0, "the worker lives");
    const auto left = test::descendants(::getpid());
    require(left.size() == 1 && left[0].pid == worker, "nobody else");
    ::kill(worker, SIGKILL);
    test::wait_status(worker);
  }));
}

}  // namespace
