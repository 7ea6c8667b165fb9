// Descriptors: owned, moved high, guarded against forks; errors that name the call.
#include "os/fd.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "os/error.hpp"
#include "os/event.hpp"
#include "os/fork.hpp"
#include "os/host.hpp"
#include "os_support.hpp"
#include "support/census.hpp"

namespace {

using namespace procpool;
using test::error_of;
using test::holds_in_child;
using test::require;

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
bool closes_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

class OsFd : public test::Census {
 protected:
  static void SetUpTestSuite() { os::watch_forks(); }
};

TEST_F(OsFd, AnErrorNamesTheCallAndItsObjectAndKeepsTheCode) {
  try {
    os::fail_with(ENOSPC, "fallocate", "tasks");
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_space_on_device);
    EXPECT_STREQ(error.what(), "fallocate: tasks: No space left on device");
  }
  EXPECT_EQ(os::check(7, "anything"), 7);
  EXPECT_EQ(error_of([] { os::check(::close(-1), "close"); }), "close: Bad file descriptor");
}

TEST_F(OsFd, OwnsItsNumberOnce) {
  os::Fd first = os::make_event();
  const int number = first.get();
  os::Fd second = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), number);
  errno = EDOM;
  second.reset();
  EXPECT_EQ(errno, EDOM);
  EXPECT_FALSE(is_open(number));
}

TEST_F(OsFd, AssignmentClosesWhatWasThere) {
  os::Fd a = os::make_event();
  os::Fd b = os::make_event();
  const int old = a.get();
  const int kept = b.get();
  a = std::move(b);
  EXPECT_FALSE(is_open(old));
  EXPECT_EQ(a.get(), kept);
  EXPECT_TRUE(is_open(kept));
}

TEST_F(OsFd, ADuplicateClosesOnExec) {
  const os::Fd copy = os::duplicate(1);
  EXPECT_NE(copy.get(), 1);
  EXPECT_TRUE(closes_on_exec(copy.get()));
}

TEST_F(OsFd, MovesHighAndClosesTheOldNumber) {
  os::Fd low = os::make_event();
  const int old = low.get();
  const os::Fd high = os::move_high(std::move(low));
  EXPECT_GE(high.get(), 512);
  EXPECT_TRUE(closes_on_exec(high.get()));
  EXPECT_FALSE(is_open(old));
}

TEST_F(OsFd, MovesAsHighAsASmallLimitAllows) {
  EXPECT_TRUE(holds_in_child([] {
    test::limit(RLIMIT_NOFILE, 64);
    const os::Fd first = os::move_high(os::make_event());
    const os::Fd second = os::move_high(os::make_event());
    require(first.get() == 63 && second.get() == 62, "the highest free numbers");
    require(closes_on_exec(second.get()), "close-on-exec");
  }));
}

TEST_F(OsFd, StaysWhereItIsWhenNothingHigherIsFree) {
  EXPECT_TRUE(holds_in_child([] {
    test::limit(RLIMIT_NOFILE, 32);
    std::vector<os::Fd> all;
    while (error_of([&] { all.push_back(os::make_event()); }).empty()) continue;
    require(error_of([] { os::make_event(); }) == "eventfd: Too many open files", "EMFILE named");
    const int last = all.back().get();
    const os::Fd moved = os::move_high(std::move(all.back()));
    require(moved.get() == last, "kept");
    require(error_of([] { os::duplicate(1); }).starts_with("fcntl(F_DUPFD_CLOEXEC)"), "named");
  }));
}

TEST_F(OsFd, AForkClosesWhatIsGuardedAndNothingElse) {
  const os::Fd guarded = os::guard(os::make_event());
  const os::Fd plain = os::make_event();
  EXPECT_TRUE(holds_in_child([&] {
    require(os::fork_generation() == 1, "generation");
    require(!is_open(guarded.get()), "guarded is closed");
    require(is_open(plain.get()), "plain is open");
  }));
  EXPECT_EQ(os::fork_generation(), 0U);
  EXPECT_TRUE(is_open(guarded.get()));
}

TEST_F(OsFd, AMovedGuardedDescriptorStaysGuarded) {
  const os::Fd high = os::move_high(os::guard(os::make_event()));
  EXPECT_TRUE(os::is_guarded(high));
  EXPECT_TRUE(holds_in_child([&] { require(!is_open(high.get()), "closed"); }));
}

TEST_F(OsFd, AClosedOrReleasedNumberIsForgotten) {
  os::Fd guarded = os::guard(os::make_event());
  const int number = guarded.get();
  guarded.reset();
  ASSERT_EQ(::dup2(1, number), number);
  const os::Fd users(number);
  EXPECT_TRUE(holds_in_child([&] { require(is_open(number), "the user's is open"); }));
  os::Fd released = os::guard(os::make_event());
  const os::Fd again(released.release());
  EXPECT_TRUE(holds_in_child([&] { require(is_open(again.get()), "released is open"); }));
}

TEST_F(OsFd, AChildsOwnFilesSurviveTheInheritedObjects) {
  os::Fd inherited = os::guard(os::make_event());
  EXPECT_TRUE(holds_in_child([&] {
    const int number = inherited.get();
    require(::dup2(1, number) == number, "dup2");
    inherited.reset();
    require(is_open(number), "somebody else's number was not closed");
    const os::Fd own(number);
    require(os::fork_generation() == own.generation(), "made here");
  }));
}

TEST_F(OsFd, AChildsOwnDescriptorWithAReusedNumberIsItsOwn) {
  os::Fd inherited = os::guard(os::make_event());
  EXPECT_TRUE(holds_in_child([&] {
    const int number = inherited.get();
    os::Fd own = os::guard(os::make_event());
    require(own.get() == number, "the number is used again");
    inherited.reset();
    require(is_open(number) && os::is_guarded(own), "still there");
    require(holds_in_child([&] { require(!is_open(number), "closed one level down"); }), "below");
    own.reset();
    require(!is_open(number), "closed by its owner");
  }));
}

TEST_F(OsFd, OurOwnForkClosesNothing) {
  const os::Fd guarded = os::guard(os::make_event());
  const pid_t pid = os::fork_unguarded();
  if (pid == 0) {
    require(os::fork_generation() == 0 && is_open(guarded.get()), "untouched");
    require(holds_in_child([&] { require(!is_open(guarded.get()), "guard"); }), "a stray fork");
    ::_exit(0);
  }
  EXPECT_EQ(test::wait_status(pid), 0);
}

TEST_F(OsFd, ForksWhileOtherThreadsGuardAndClose) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&stop] {
      while (!stop) os::guard(os::make_event());
    });
  }
  int bad = 0;
  for (int i = 0; i < 50; ++i) {
    bad += holds_in_child([] { os::guard(os::make_event()).reset(); }) ? 0 : 1;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

}  // namespace
