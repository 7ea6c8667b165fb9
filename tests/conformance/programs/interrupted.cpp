// Stands in the foreground of a terminal. It says "ready", and when Ctrl-C has been pressed there,
// what became of the workers and of the task that one of them runs.
#include <signal.h>
#include <unistd.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <string>

#include "method.hpp"

namespace {

int wait_for_line(const std::string& path, int value) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return -1;
  std::fgetc(file);
  std::fclose(file);
  return value;
}
bool ignores_interrupt() {
  struct sigaction now {};
  sigaction(SIGINT, nullptr, &now);
  return now.sa_handler == SIG_IGN;
}

}  // namespace

// The argument beside the method is a FIFO, which the task waits for.
int main(int argc, char** argv) {
  procpool::init(argc, argv);
  if (argc != 3) return 2;
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt,
              nullptr);  // before the pool: its threads do not take it either
  const procpool::Pool pool({.processes = 2, .start_method = method_of(argv[1])});
  const auto pids = pool.pids();
  const auto running = pool.submit(wait_for_line, std::string(argv[2]), 42);
  std::printf("ready\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&interrupt, &signal);
  std::printf("interrupted %d\n", signal == SIGINT);
  for (const pid_t pid : pids) kill(pid, SIGINT);  // and where somebody sends it on
  std::fclose(std::fopen(argv[2], "w"));
  std::printf("task %d\n", running.get());
  std::printf("ignored %d\n", pool.apply(ignores_interrupt));
  std::printf("same workers %d\n", pool.pids() == pids);
}
