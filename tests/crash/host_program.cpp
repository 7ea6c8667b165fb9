// The host that the tests of host_death_test.cpp kill: host METHOD
// idle|busy|unmoored|churn|processes ROOM. It reports to the room when it is where the test wants
// it, and never ends by itself.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <procpool/process.hpp>
#include <procpool/procpool.hpp>

#include "crash/room.hpp"
#include "crash/ways.hpp"

namespace {

using namespace procpool::test;

void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

/// Deaf to every signal, with a child as deaf; one loops, the other sleeps.
int hold_out(std::string room, bool busy) {
  block_all_signals();
  const pid_t child = fork();
  if (child != 0) report(room, getpid());
  for (volatile bool on = true; on;) {
    if (!busy || child == 0) pause();
  }
  return 0;
}

/// Has closed whatever could tell it that its host is gone.
int hold_out_unmoored(std::string room) {
  block_all_signals();
  syscall(SYS_close_range, 3U, ~0U, 0U);
  report(room, getpid());
  for (;;) pause();
}

int crash_sometimes(int number) { return number % 7 == 3 ? raise(SIGKILL) : number; }

procpool::StartMethod method_of(const char* name) {
  for (const auto method : all_methods) {
    if (std::strcmp(name, name_of(method)) == 0) return method;
  }
  std::abort();
}

/// Pools come and go, workers die: for a SIGKILL at any moment.
[[noreturn]] void churn(const procpool::PoolOptions& options, const std::string& room) {
  for (;;) {
    procpool::Pool pool(options);
    report(room, 0);
    std::vector<procpool::Future<int>> futures;
    for (int i = 0; i < 50; ++i) futures.push_back(pool.submit(crash_sometimes, i));
    for (const auto& future : futures) future.wait();
  }
}

/// Two Processes, each deaf and with a child as deaf.
[[noreturn]] void have_processes(procpool::StartMethod method, const std::string& room) {
  std::vector<procpool::Process> held;
  for (int i = 0; i < 2; ++i) {
    held.emplace_back(procpool::ProcessOptions{.start_method = method}, hold_out, room, i == 0);
    held.back().start();
  }
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  if (argc != 4) return 2;
  const std::string mode = argv[2], room = argv[3];
  procpool::PoolOptions options;
  options.processes = 2;
  options.start_method = method_of(argv[1]);
  if (mode == "churn") churn(options, room);
  if (mode == "processes") have_processes(options.start_method, room);
  procpool::Pool pool(options);
  std::vector<procpool::Future<int>> held;
  for (int i = 0; i < 2 && mode == "busy"; ++i) held.push_back(pool.submit(hold_out, room, i == 0));
  for (int i = 0; i < 2 && mode == "unmoored"; ++i)
    held.push_back(pool.submit(hold_out_unmoored, room));
  if (mode == "idle") report(room, getpid());
  for (;;) pause();
}
