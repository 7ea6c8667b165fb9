// The signal by which a stuck task is asked where it is: that it is told whatever the task does with it,
// and that the task goes on as if there had been none.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "conformance/soft_timeout.hpp"

namespace procpool::test {
namespace {

// What a stuck task is asked by, as a set.
sigset_t the_signal() {
  sigset_t urgent;
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  return urgent;
}
void block_the_signal() {
  const sigset_t urgent = the_signal();
  sigprocmask(SIG_BLOCK, &urgent, nullptr);
}
void await_the_blocked_signal() {
  sigset_t waiting;
  do {
    std::this_thread::yield();
    sigpending(&waiting);
  } while (sigismember(&waiting, SIGURG) == 0);
}

std::string wait_deaf(const std::string& gate) {
  block_the_signal();
  pass_gate(gate);
  return "heard nothing";
}

TEST_P(Conformance, P_JOB_02_a_task_that_blocks_the_signal_is_reported_without_its_stack) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Ear ear;
  const auto future = pool.with({.soft_timeout = 50ms}).submit(wait_deaf, gate.path());
  future.on_progress(ear.listener());
  EXPECT_SAYS(told_of(ear), "it blocks SIGURG");
  gate.open();
  EXPECT_EQ(future.get(), "heard nothing");
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 1U);
}

// The kernel gives the signal to the other thread, as the first one blocks it.
[[gnu::noinline]] std::string listen_late(const std::string& gate) {
  std::jthread other([&] { pass_gate(gate); });
  block_the_signal();
  await_the_blocked_signal();
  const sigset_t urgent = the_signal();
  sigprocmask(SIG_UNBLOCK, &urgent, nullptr);
  return "listened";
}

TEST_P(Conformance, P_JOB_02_another_threads_signal_is_passed_on) {
  Pool pool = make_pool(1);
  Gate gate(file("gate"));
  Ear ear;
  const auto future = pool.with({.soft_timeout = 50ms}).submit(listen_late, gate.path());
  future.on_progress(ear.listener());
  const std::string text = told_of(ear);
  if (has_stacks) {
    EXPECT_SAYS(text, "listen_late");
  }
  gate.open();
  EXPECT_EQ(future.get(), "listened");
}

// It ends as soon as it has been asked: long before it is given up.
std::string end_deaf() {
  block_the_signal();
  await_the_blocked_signal();
  return "heard nothing";
}

TEST_P(Conformance, P_JOB_02_a_task_that_ends_before_it_can_answer_is_reported) {
  Pool pool = make_pool(1);
  Ear ear;
  const auto future = pool.with({.soft_timeout = 50ms}).submit(end_deaf);
  future.on_progress(ear.listener());
  EXPECT_EQ(future.get(), "heard nothing");
  finish(pool);
  ASSERT_EQ(ear.heard().size(), 1U);
  EXPECT_SAYS(ear.heard().front().log, "it has just ended");
}

#if defined(__x86_64__)
// Its frame is where its frame pointer says.
[[gnu::noipa]] void* address_in_caller() { return __builtin_return_address(0); }
[[gnu::noipa]] void* framed(std::size_t size) {
  auto* const room = static_cast<volatile char*>(__builtin_alloca(size));
  room[0] = 0;
  void* const address = address_in_caller();
  room[size - 1] = 0;
  return address;
}

// As code of a JIT that keeps to no convention: what lies where its caller would be is none.
void spin_without_module() {
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static_cast<unsigned char*>(page)[0] = 0xeb;  // jmp .
  static_cast<unsigned char*>(page)[1] = 0xfe;
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  asm volatile("pushq %0\n\tmovq $0x10, %%rbp\n\tjmpq *%1" : : "r"(framed(16)), "a"(page) : "memory");
  __builtin_unreachable();
}
#else
void spin_without_module() { pause(); }  // skipped
#endif

TEST_P(Conformance, P_JOB_02_what_runs_outside_of_every_module_is_reported_unharmed) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "its code is for x86-64";
#endif
  Pool pool = make_pool(1);
  Ear ear;
  const auto future = pool.with({.timeout = 300ms, .cancel = at_once, .soft_timeout = 50ms})
                          .submit(spin_without_module);
  future.on_progress(ear.listener());
  EXPECT_THROW(future.get(), TaskTimeout);
  finish(pool);
  ASSERT_EQ(ear.heard().size(), 1U);
  if (has_stacks) {
    EXPECT_SAYS(ear.heard().front().log, "its stack:\n    0x");
  }
}

bool has_handler_stack() {
  stack_t now{};
  sigaltstack(nullptr, &now);
  return (now.ss_flags & SS_DISABLE) == 0;
}

TEST_P(Conformance, P_JOB_02_the_signal_has_a_stack_of_its_own_also_without_crash_handlers) {
  const Pool pool = make_pool({.processes = 1, .crash_handlers = false});
  EXPECT_TRUE(pool.apply(has_handler_stack));
}

// Where it is when it is asked is often the unwinder.
int throw_until(const std::string& mark) {
  int caught = 0;
  while (count_marks(mark) == 0) {
    for (int i = 0; i != 100; ++i) {
      errno = i;
      try {
        throw std::out_of_range("again");
      } catch (const std::out_of_range&) {
        ++caught;
      }
      for (int spin = 0; spin != 1000; ++spin) asm volatile("" : : : "memory");
      if (errno != i) return -1;
    }
  }
  return caught;
}

TEST_P(Conformance, P_JOB_02_who_throws_and_catches_goes_on_unharmed) {
  Pool pool = make_pool(1);
  const std::string mark = file("mark");
  Ear ear;
  const auto with = pool.with({.soft_timeout = 1ms});
  for (int i = 0; i != 10; ++i) {
    const std::string own = mark + std::to_string(i);
    const auto future = with.submit(throw_until, own);
    future.on_progress([&](const TaskUpdate& update) {
      ear.listener()(update);
      add_mark(own);
    });
    EXPECT_GT(future.get(), 0);
  }
  finish(pool);
  EXPECT_EQ(ear.heard().size(), 10U);
}

ssize_t read_one(int from) {
  char stroke = 0;
  const ssize_t got = ::read(from, &stroke, 1);
  return got < 0 ? -errno : got;
}
ssize_t read_one_of(const std::string& fifo) {
  const int fd = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  const ssize_t got = read_one(fd);
  close(fd);
  return got;
}

TEST_P(Conformance, P_JOB_02_a_read_that_is_interrupted_goes_on) {
  Pool pool = make_pool(1);
  Bell bell(file("bell"));
  Ear ear;
  const auto future = pool.with({.soft_timeout = 50ms}).submit(read_one_of, bell.path());
  future.on_progress(ear.listener());
  const std::string text = told_of(ear);
  if (has_stacks) {
    EXPECT_SAYS(text, "read_one");
  }
  ring_bell(bell.path());
  EXPECT_EQ(future.get(), 1);
}

}  // namespace
}  // namespace procpool::test
