// Crashes that are mended, crashes in the telling of crashes, and crashes elsewhere than in the thread
// that runs the task.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "crash/pool_of.hpp"

namespace procpool::test {
namespace {

class P_CRASH_Odd : public OfOwnHandlers {};
INSTANTIATE_TEST_SUITE_P(Of, P_CRASH_Odd, testing::ValuesIn(all_methods), method_name);

// What its end says. One that hangs is the watchdog's.
std::string text_of(const std::function<void()>& crash, int signal) {
  try {
    crash();
  } catch (const WorkerCrashed& crashed) {
    EXPECT_EQ(crashed.signal(), signal);
    return crashed.what();
  }
  ADD_FAILURE() << "nothing crashed";
  return {};
}

// A macro, so that a failure names its line.
#define EXPECT_SAYS(text, words) EXPECT_NE((text).find(words), std::string::npos) << (text)

void no_core() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}
[[gnu::noinline]] void write_to(std::uintptr_t address) {
  *reinterpret_cast<volatile int*>(address) = 1;
}
int pid_of_worker() { return getpid(); }

void set_handler(void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
}

// ---- mended --------------------------------------------------------------------------------------

constexpr std::size_t page = 4096;

// As a garbage collector does with its barriers.
void set_mender() {
  set_handler([](int, siginfo_t* info, void*) {
    const auto begin = reinterpret_cast<std::uintptr_t>(info->si_addr) / page * page;
    mprotect(reinterpret_cast<void*>(begin), page, PROT_READ | PROT_WRITE);
  });
}
int write_to_protected(int value) {
  void* const memory = mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return -1;
  volatile int* const at = static_cast<int*>(memory);
  *at = value;
  const int read = *at;
  munmap(memory, page);
  return read;
}
int set_mender_and_write(int value) {
  set_mender();
  return write_to_protected(value);
}
void die_by_kill() { raise(SIGKILL); }

void expect_mended(Pool& pool, int (*write)(int)) {
  const int pid = pool.apply(pid_of_worker);
  for (int i = 1; i != 20; ++i) EXPECT_EQ(pool.apply(write, i), i);
  EXPECT_EQ(pool.map(write, std::vector{5, 6, 7}), (std::vector{5, 6, 7}));
  EXPECT_EQ(pool.apply(pid_of_worker), pid);
  EXPECT_EQ(pool.stats().workers_crashed, 0U);
  // Nor does its later end speak of one that was mended.
  const std::string text = text_of([&] { pool.apply(die_by_kill); }, SIGKILL);
  EXPECT_EQ(text.find("SIGSEGV"), std::string::npos) << text;
  EXPECT_EQ(text.find("stack:"), std::string::npos) << text;
}

TEST_P(P_CRASH_Odd, WhatTheProgramsHandlerMendsIsNone) {
  PoolOptions options = options_of(GetParam(), 1);
  options.preload = set_mender;
  Pool pool(options);
  expect_mended(pool, write_to_protected);
}

TEST_P(P_CRASH_Odd, WhatTheTasksHandlerMendsIsNone) {
  Pool pool = pool_of(1);
  expect_mended(pool, set_mender_and_write);
}

// ---- in the telling ------------------------------------------------------------------------------

void set_handler_that_crashes() {
  set_handler([](int, siginfo_t*, void*) { write_to(80); });
}
void crash_at_40() {
  no_core();
  write_to(40);
}

TEST_P(P_CRASH_Odd, ACrashInTheProgramsHandlerIsTheEnd) {
  PoolOptions options = options_of(GetParam(), 1);
  options.preload = set_handler_that_crashes;
  Pool pool(options);
  text_of([&] { pool.apply(crash_at_40); }, SIGSEGV);
  EXPECT_NE(pool.apply(pid_of_worker), getpid());
}

#if defined(__x86_64__)
// The unwinder reads where no stack is, on the handlers' own stack.
[[gnu::noinline]] void crash_without_a_stack() {
  no_core();
  asm volatile("movq $64, %%rbp\n\tmovq $64, %%rsp\n\tud2" : : : "memory");
}

TEST_P(P_CRASH_Odd, ACrashInTheTellingIsToldAsFarAsItWent) {
  Pool pool = pool_of(1);
  const std::string text = text_of([&] { pool.apply(crash_without_a_stack); }, SIGILL);
  EXPECT_SAYS(text, "it crashed again while it told of that");
  EXPECT_NE(pool.apply(pid_of_worker), getpid());
}
#endif

// ---- elsewhere -----------------------------------------------------------------------------------

[[gnu::noinline]] void crash_beside() {
  no_core();
  write_to(40);
  asm volatile("");  // no tail call
}
[[gnu::noinline]] void wait_for_the_other() {
  std::thread other(crash_beside);
  other.join();
  asm volatile("");
}

TEST_P(P_CRASH_Odd, TheStackIsThatOfTheThreadThatCrashed) {
  Pool pool = pool_of(1);
  const std::string text = text_of([&] { pool.apply(wait_for_the_other); }, SIGSEGV);
  EXPECT_SAYS(text, "crash_beside");
  EXPECT_EQ(text.find("wait_for_the_other", text.find("stack:")), std::string::npos) << text;
}

// Only one of them tells; none of the others keeps the process.
void crash_in_many() {
  no_core();
  std::vector<std::thread> all;
  for (int i = 0; i != 20; ++i) all.emplace_back(crash_beside);
  for (auto& each : all) each.join();
}

TEST_P(P_CRASH_Odd, ManyThreadsThatCrashAtOnceAreOneCrash) {
  Pool pool = pool_of(1);
  const std::string text = text_of([&] { pool.apply(crash_in_many); }, SIGSEGV);
  EXPECT_SAYS(text, "crash_beside");
  EXPECT_EQ(text.find("crashed again"), std::string::npos) << text;
  EXPECT_EQ(pool.stats().workers_crashed, 1U);
}

}  // namespace
}  // namespace procpool::test
