// What WorkerCrashed tells: each cause by its own words, and the fields that go with it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

#include "crash/pool_of.hpp"
#include "crash/room.hpp"

namespace procpool::test {
namespace {

class P_CRASH_Report : public OfOwnHandlers {};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_Report, testing::ValuesIn(all_methods), method_name);

CrashReport report_of(const std::function<void()>& crash) {
  try {
    crash();
  } catch (const WorkerCrashed& crashed) {
    EXPECT_EQ(crashed.report().signal, crashed.signal());
    CrashReport report = crashed.report();
    report.text = crashed.what();
    return report;
  }
  ADD_FAILURE() << "nothing crashed";
  return {};
}

// A macro, so that a failure names its line.
#define EXPECT_SAYS(report, words) \
  EXPECT_NE((report).text.find(words), std::string::npos) << (report).text

void die_by(int way) { die(static_cast<Way>(way), {}); }
void no_core() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}
void write_to_address_40() {
  no_core();
  int* volatile nowhere = reinterpret_cast<int*>(40);
  *nowhere = 1;
}
void divide_by_zero() {
  no_core();
  volatile int zero = 0;
  volatile int one = 1;
  one = one / zero;
}
void throw_it() { throw std::out_of_range("element 7 of 3"); }
void throw_through_noexcept() noexcept {
  no_core();
  throw_it();
}
void exit_5() { std::exit(5); }
void exit_6_at_once() { _exit(6); }
void raise_fpe() {
  no_core();
  raise(SIGFPE);
}
void use_64_mebibytes_and_abort() {
  no_core();
  std::string memory(std::size_t{64} << 20, 'x');
  if (memory[memory.size() / 2] == 'x') std::abort();
}
void be_killed(std::string room) {
  report(room, getpid());
  for (;;) pause();
}
int twice(int number) { return 2 * number; }

TEST_P(P_CRASH_Report, NamesAddressAndMeaningOfAFault) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(write_to_address_40); });
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_EQ(report.signal_code, SEGV_MAPERR);
  EXPECT_EQ(report.address, 40U);
  EXPECT_SAYS(report, "SIGSEGV (11)");
  EXPECT_SAYS(report, "no memory is mapped there; address 0x28 (near the null pointer)");
  EXPECT_FALSE(report.backtrace.empty());
  EXPECT_NE(report.text.find("write_to_address_40", report.text.find("\n  stack:")),
            std::string::npos)
      << report.text;
  EXPECT_GT(report.peak_memory_bytes, 100'000U);
  EXPECT_GT(report.cpu_time.count(), 0);
}

TEST_P(P_CRASH_Report, NamesADivisionByZero) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(divide_by_zero); });
  EXPECT_EQ(report.signal, SIGFPE);
  EXPECT_EQ(report.signal_code, FPE_INTDIV);
  EXPECT_NE(report.address, 0U);
  EXPECT_SAYS(report, "divided by zero");
}

TEST_P(P_CRASH_Report, NamesAStackOverflow) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(die_by, int(Way::stack_overflow)); });
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_SAYS(report, "the stack overflowed");
}

TEST_P(P_CRASH_Report, NamesTheExceptionBehindTerminate) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(throw_through_noexcept); });
  EXPECT_EQ(report.signal, SIGABRT);
  EXPECT_SAYS(report,
              "std::terminate was called for an exception of type std::out_of_range: "
              "element 7 of 3");
}

TEST_P(P_CRASH_Report, SaysWhatTheCLibrarySaid) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(die_by, int(Way::wild_free)); });
  EXPECT_EQ(report.signal, SIGABRT);
  EXPECT_SAYS(report, "the C library said: free(): invalid");
}

TEST_P(P_CRASH_Report, NamesWhoEndedIt) {
  Pool pool = pool_of(1);
  const CrashReport called = report_of([&] { pool.apply(exit_5); });
  EXPECT_EQ(called.exit_code, 5);
  EXPECT_EQ(called.signal, std::nullopt);
  EXPECT_SAYS(called, "exit(5) was called");
  EXPECT_SAYS(report_of([&] { pool.apply(exit_6_at_once); }), "without exit(): _exit was called");
  EXPECT_SAYS(report_of([&] { pool.apply(die_by, int(Way::quick_exit_3)); }),
              "quick_exit was called");
  EXPECT_SAYS(report_of([&] { pool.apply(die_by, int(Way::exit_thread)); }),
              "the task ended the thread that runs tasks (pthread_exit)");
  EXPECT_SAYS(report_of([&] { pool.apply(raise_fpe); }), "raised by the process itself");
}

TEST_P(P_CRASH_Report, SaysThatSomebodyElseKilledIt) {
  Room room;
  Pool pool = pool_of(1);
  const auto killed = pool.submit(be_killed, room.path());
  kill(static_cast<pid_t>(room.next_report()), SIGKILL);
  const CrashReport report = report_of([&] { killed.get(); });
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_SAYS(report, "not by this pool");
  EXPECT_GT(report.cpu_time.count(), 0);
}

void say_and_die(std::string text, int signal) {
  no_core();
  std::cerr << text << std::endl;
  raise(signal);
}

TEST_P(P_CRASH_Report, HasTheLastLinesOfStderr) {
  Pool pool = pool_of(1);
  for (const int signal : {SIGKILL, SIGSEGV}) {
    const CrashReport report = report_of([&] { pool.apply(say_and_die, "so it ends", signal); });
    EXPECT_EQ(report.last_stderr, "so it ends");
    EXPECT_SAYS(report, "so it ends");
  }
  const std::string much(10000, 'x');
  const CrashReport report = report_of([&] { pool.apply(say_and_die, much + "\nend", SIGKILL); });
  EXPECT_EQ(report.last_stderr, "end");
}

TEST_P(P_CRASH_Report, KnowsHowMuchMemoryItHad) {
  Pool pool = pool_of(1);
  const CrashReport report = report_of([&] { pool.apply(use_64_mebibytes_and_abort); });
  EXPECT_GE(report.peak_memory_bytes, std::size_t{64} << 20);
}

TEST_P(P_CRASH_Report, WithoutHandlersTheSignalIsKnownStill) {
  PoolOptions options = options_of(GetParam(), 1);
  options.crash_handlers = false;
  Pool pool(options);
  const CrashReport report = report_of([&] { pool.apply(write_to_address_40); });
  EXPECT_EQ(report.signal, SIGSEGV);
  EXPECT_EQ(report.signal_code, 0);
  EXPECT_GT(report.cpu_time.count(), 0);
}

int die_in_copy(int number) {
  no_core();
  const pid_t copy = fork();
  if (copy == 0) {
    int* volatile nowhere = reinterpret_cast<int*>(40);
    *nowhere = 1;
  }
  int status = 0;
  while (waitpid(copy, &status, 0) < 0) continue;
  return WIFSIGNALED(status) ? number + WTERMSIG(status) : -1;
}

TEST_P(P_CRASH_Report, OfACopyThatATaskMadeNothingIsTold) {
  Pool pool = pool_of(1);
  EXPECT_EQ(pool.apply(die_in_copy, 100), 100 + SIGSEGV);
  EXPECT_EQ(pool.apply(twice, 21), 42);
  EXPECT_EQ(pool.stats().workers_crashed, 0U);
}

void install_handler_that_exits() {
  struct sigaction action {};
  action.sa_handler = [](int) { _exit(77); };
  sigaction(SIGSEGV, &action, nullptr);
}

TEST_P(P_CRASH_Report, AHandlerOfThePreloadHasItsTurn) {
  PoolOptions options = options_of(GetParam(), 1);
  options.preload = install_handler_that_exits;
  Pool pool(options);
  const CrashReport report = report_of([&] { pool.apply(write_to_address_40); });
  EXPECT_EQ(report.exit_code, 77);
}

}  // namespace
}  // namespace procpool::test
