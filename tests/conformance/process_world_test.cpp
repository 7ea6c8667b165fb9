// Process among everything else: many at once, destructors, what the host and its neighbours do.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "conformance/process.hpp"

namespace procpool::test {
namespace {

int forked_status(const std::function<int()>& in_child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(in_child());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

TEST_P(P_PROC_01, P_SEED_07_twenty_tasks_on_twenty_processes) {
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  std::vector<Process> processes;
  for (int i = 0; i < 20; ++i) {
    processes.push_back(started(
        [](const std::string& bell_path, const std::string& gate_path, int number) {
          std::exit(ring_and_wait(bell_path, gate_path, number));
        },
        bell.path(), gate.path(), i));
  }
  bell.wait(20);  // all of them run at once
  gate.open();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(end_of(processes[static_cast<std::size_t>(i)]), i);
}

TEST_P(P_PROC_01, threads_start_and_join_at_once) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 5; ++i) {
        Process process = started([](int number) { std::exit(number); }, 10 * t + i);
        std::thread other([&] { EXPECT_EQ(end_of(process), 10 * t + i); });
        EXPECT_EQ(end_of(process), 10 * t + i);
        other.join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(P_PROC_01, the_destructor_joins) {
  { const Process process = started(mark, file("marks")); }
  EXPECT_EQ(count_marks(file("marks")), 1U);
  { const Process never_started = make(mark, file("marks")); }
  EXPECT_EQ(count_marks(file("marks")), 1U);
}

TEST_P(P_PROC_01, the_destructor_ends_what_it_does_not_wait_for) {
  Gate gate(file("gate"));
  pid_t pid = 0;
  {
    Process daemon({.start_method = method(), .daemon = true}, wait_at, gate.path(), 0);
    daemon.start();
    pid = daemon.pid();
  }
  EXPECT_TRUE(ended_within(pid, 0ms));
  try {
    Process process = started(wait_at, gate.path(), 0);
    pid = process.pid();
    throw std::runtime_error("unwinding");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(ended_within(pid, 0ms));
  Bell bell(file("bell"));
  {
    Process deaf({.start_method = method(), .daemon = true}, be_deaf_at, bell.path());
    deaf.start();
    bell.wait();
    pid = deaf.pid();
  }
  EXPECT_TRUE(ended_within(pid, 0ms)) << "after its grace";
}

// Each a bit of the exit code.
void look_around() {
  struct sigaction interrupt {};
  sigaction(SIGINT, nullptr, &interrupt);
  char byte = 0;
  std::exit((in_worker() ? 1 : 0) | (getpgrp() == getpid() ? 2 : 0) |
            (interrupt.sa_handler == SIG_IGN ? 4 : 0) | (read(0, &byte, 1) == 0 ? 8 : 0));
}
TEST_P(P_PROC_01, in_the_child) {
  EXPECT_FALSE(in_worker());
  Process process = started(look_around);
  EXPECT_EQ(end_of(process), 15);
}

void have_children(int method, int depth) {
  const auto start_method = static_cast<StartMethod>(method);
  const Pool pool({.processes = 2, .start_method = start_method});
  if (pool.apply(square, 3) != 9) std::exit(1);
  if (depth == 0) std::exit(20);
  Process child({.start_method = start_method}, have_children, method, depth - 1);
  child.start();
  std::exit(end_of(child) + 1);
}
TEST_P(P_PROC_01, it_may_have_pools_and_processes_of_its_own) {
  Process process = started(have_children, static_cast<int>(method()), 2);
  EXPECT_EQ(end_of(process), 22);
}
int process_in_a_task(int method) {
  Process child({.start_method = static_cast<StartMethod>(method)}, [] { std::exit(33); });
  child.start();
  return end_of(child);
}
TEST_P(P_PROC_01, a_task_of_a_pool_may_start_one) {
  EXPECT_EQ(make_pool(1).apply(process_in_a_task, static_cast<int>(method())), 33);
}

void leave_a_pid(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  std::ofstream(path) << child;
}
TEST_P(P_PROC_01, what_it_leaves_behind_ends_with_it) {
  Process process = started(leave_a_pid, file("pid"));
  process.join();
  EXPECT_TRUE(ended_within(read_number(file("pid")), 1s));
}

// An orphan belongs to the group of the child that lives, whoever else ends.
void have_an_orphan(const std::string& path, const std::string& bell, const std::string& gate) {
  const pid_t between = fork();
  if (between == 0) {
    leave_a_pid(path);
    _exit(0);
  }
  waitpid(between, nullptr, 0);
  ring_and_wait(bell, gate, 0);
}
TEST_P(P_PROC_01, an_orphan_lives_as_long_as_its_group) {
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  Process process = started(have_an_orphan, file("pid"), bell.path(), gate.path());
  bell.wait();
  const pid_t orphan = read_number(file("pid"));
  Process other = started(square, 1);
  other.join();
  EXPECT_FALSE(ended_within(orphan, 0ms));
  gate.open();
  process.join();
  EXPECT_TRUE(ended_within(orphan, 1s));
}

// Where somebody else takes the status, the kernel may still know it; the end itself is never missed.
void expect_code_or_unknown(Process& process, int code) {
  const int known = end_of(process);
  if (known != 255) {
    EXPECT_EQ(known, code);
  }
  EXPECT_FALSE(process.is_alive());
}
TEST_P(P_PROC_01, the_program_waits_for_any_child) {
  Gate gate(file("gate"));
  Process process = started(
      [](const std::string& path) {
        pass_gate(path);
        std::exit(7);
      },
      gate.path());
  const int status = forked_status([] { return 3; });
  EXPECT_EQ(WEXITSTATUS(status), 3);
  gate.open();
  pollfd sentinel{process.sentinel(), POLLIN, 0};
  poll(&sentinel, 1, -1);
  while (method() != StartMethod::forkserver && waitpid(-1, nullptr, 0) != process.pid()) continue;
  expect_code_or_unknown(process, 7);
}
TEST_P(P_PROC_01, the_program_ignores_SIGCHLD) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  Process process = started([] { std::exit(7); });
  expect_code_or_unknown(process, 7);
  signal(SIGCHLD, before);
}

bool says_misuse(const std::function<void()>& call) {
  try {
    call();
    return false;
  } catch (const Misuse&) {
    return true;
  }
}
TEST_P(P_PROC_01, a_copy_made_by_fork_is_inert) {
  Gate gate(file("gate"));
  std::optional<Process> process = started(wait_at, gate.path(), 0);
  std::optional<Process> unstarted = make(square, 1);
  const int status = forked_status([&] {
    const bool inert = says_misuse([&] { process->join(); }) &&
                       says_misuse([&] { static_cast<void>(process->is_alive()); }) &&
                       says_misuse([&] { static_cast<void>(process->exit_code()); }) &&
                       says_misuse([&] { process->kill(); }) &&
                       says_misuse([&] { unstarted->start(); }) && !process->name().empty();
    process.reset();
    unstarted.reset();
    Process own = started([] { std::exit(4); });
    return inert && end_of(own) == 4 ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(process->is_alive());
  gate.open();
  EXPECT_EQ(end_of(*process), 0);
}

TEST_P(P_PROC_01, out_of_descriptors_start_says_so_and_may_be_repeated) {
  Process process = make([] { std::exit(6); });
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit low{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  const std::string text = error_of<PoolBroken>([&] { process.start(); });
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(contains(text, "Too many open files")) << text;
  EXPECT_EQ(process.exit_code(), std::nullopt);
  process.start();
  EXPECT_EQ(end_of(process), 6);
}

}  // namespace
}  // namespace procpool::test
