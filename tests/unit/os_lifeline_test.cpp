// The lifeline: whatever a worker is doing, it and its group die when the supervisor is killed.
// Each case starts a supervisor process, which starts a worker that spins with every signal blocked
// and has a child in its group; then the supervisor is killed.
#include <gtest/gtest.h>

#include <set>

#include "os/fork.hpp"
#include "os/process.hpp"
#include "os/worker_setup.hpp"
#include "os_support.hpp"
#include "support/census.hpp"
#include "support/processes.hpp"

namespace {

using namespace procpool;
using namespace std::chrono_literals;
using test::require;

class OsLifeline : public test::Census {};

struct Scene {
  pid_t supervisor = 0;
  pid_t worker = 0;
  pid_t member = 0;  // a child of the worker
};

void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

// `before`: what the worker does to itself before it is tethered.
[[noreturn]] void be_worker(const os::Lifeline& line, const std::function<void()>& before,
                            test::Signpost& ready) {
  os::become_worker("test-worker");
  const int keep[]{line.tether.get(), ready.write_end()};
  os::close_all_but(keep, 2);
  before();
  const os::Fd tether = os::tether_to(line.tether);
  require(tether.get() >= 512, "the tether is high");
  block_all_signals();
  ready.tell_number(test::start_child([] { ::pause(); }));
  volatile bool spinning = true;
  while (spinning) continue;
  ::_exit(0);
}

// In the supervisor, before it is killed: `also`.
Scene start(
    const std::function<void()>& before, const std::function<void()>& also = [] {}) {
  test::Signpost ready;
  Scene scene;
  scene.supervisor = test::start_child([&] {
    const os::Lifeline line = os::make_lifeline();
    const pid_t worker = os::fork_unguarded();
    if (worker == 0) be_worker(line, before, ready);
    also();
    ready.tell_number(worker);
    for (;;) ::pause();
  });
  for (const int number : {ready.wait(), ready.wait()}) {
    (scene.worker == 0 && ::getpgid(number) == number ? scene.worker : scene.member) = number;
  }
  return scene;
}

// True when worker and member were alive before the supervisor was killed and dead soon after.
bool both_die_with_supervisor(const Scene& scene) {
  const bool alive =
      !test::ended_within(scene.worker, 0ms) && !test::ended_within(scene.member, 0ms);
  ::kill(scene.supervisor, SIGKILL);
  test::wait_status(scene.supervisor);
  const bool dead = test::ended_within(scene.worker, 1s) && test::ended_within(scene.member, 1s);
  if (!dead && scene.worker > 1) ::kill(-scene.worker, SIGKILL);
  return alive && dead;
}

TEST_F(OsLifeline, KillsABusyWorkerThatBlocksAllSignalsAndItsGroup) {
  EXPECT_TRUE(both_die_with_supervisor(start([] {})));
}

TEST_F(OsLifeline, AStrayChildOfTheSupervisorDoesNotHoldIt) {
  test::Signpost born;
  const Scene scene =
      start([] {}, [&born] { born.tell_number(test::start_child([] { ::pause(); })); });
  const pid_t stray = born.wait();
  EXPECT_TRUE(both_die_with_supervisor(scene));
  EXPECT_FALSE(test::ended_within(stray, 0ms));
  ::kill(stray, SIGKILL);
  EXPECT_TRUE(test::ended_within(stray, 5s));
}

// As a template does: one tether passed on to workers that each arm their own description.
TEST_F(OsLifeline, EachOfTwoWorkersHasItsOwn) {
  test::Signpost ready;
  const pid_t supervisor = test::start_child([&] {
    const os::Lifeline line = os::make_lifeline();
    for (int i = 0; i < 2; ++i) {
      if (os::fork_unguarded() == 0)
        be_worker(
            line, [] {}, ready);
    }
    for (;;) ::pause();
  });
  const std::set<pid_t> members{ready.wait(), ready.wait()};
  ::kill(supervisor, SIGKILL);
  test::wait_status(supervisor);
  for (const pid_t member : members) EXPECT_TRUE(test::ended_within(member, 1s));
}

TEST_F(OsLifeline, FallsBackToAThreadWhereTheKernelRefusesTheSignal) {
  EXPECT_TRUE(both_die_with_supervisor(start([] { test::refuse(SYS_fcntl, EINVAL, F_SETSIG); })));
}

TEST_F(OsLifeline, FallsBackToAThreadWithoutProc) {
  EXPECT_TRUE(both_die_with_supervisor(start([] { test::refuse(SYS_openat, ENOENT); })));
}

// With or without the kernel's help: the check after arming.
TEST_F(OsLifeline, AWorkerThatIsTetheredTooLateDiesAtOnce) {
  for (const bool with_proc : {true, false}) {
    const pid_t pid = test::start_child([with_proc] {
      os::Lifeline line = os::make_lifeline();
      os::become_worker("late");
      line.hold.reset();
      if (!with_proc) test::refuse(SYS_openat, ENOENT);
      os::tether_to(line.tether);
    });
    const int status = test::wait_status(pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
}

TEST_F(OsLifeline, AProcessThatLeadsNoGroupTakesNobodyWithIt) {
  const pid_t pid = test::start_child([] {
    os::Lifeline line = os::make_lifeline();
    line.hold.reset();
    os::tether_to(line.tether);
  });
  EXPECT_TRUE(WIFSIGNALED(test::wait_status(pid)));  // and this process is still here
}

TEST_F(OsLifeline, HoldsWhileTheSupervisorLives) {
  EXPECT_TRUE(test::holds_in_child([] {
    const os::Lifeline line = os::make_lifeline();
    os::become_worker("held");
    const os::Fd first = os::tether_to(line.tether);
    const os::Fd second = os::tether_to(line.tether);
    require((::fcntl(first.get(), F_GETFL) & O_ASYNC) != 0, "armed");
    require((::fcntl(line.tether.get(), F_GETFL) & O_ASYNC) == 0, "a description of its own");
    require(::fcntl(second.get(), F_GETOWN) == -::getpid(), "the group");
  }));
}

}  // namespace
