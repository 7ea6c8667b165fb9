#include "support/die_at.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace procpool::test {
namespace {

// An exception that is thrown takes hundreds of thousands.
constexpr long most_steps = 12'000;

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, __WALL) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid");
  }
  return status;
}

// The child, stopped before the body's first instruction.
pid_t stopped_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    body();
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  if (!WIFSTOPPED(wait_for(child))) throw std::runtime_error("the child was not traced");
  return child;
}

// False: the body is over.
bool step_once(pid_t child) {
  ::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr);
  const int status = wait_for(child);
  return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

void kill_and_reap(pid_t child) {
  ::kill(child, SIGKILL);
  while (!WIFSIGNALED(wait_for(child))) continue;
}

}  // namespace

Died die_at(long step, const std::function<void()>& body) {
  const pid_t child = stopped_child(body);
  bool goes_on = true;
  for (long i = 0; i != step && goes_on; ++i) goes_on = step_once(child);
  kill_and_reap(child);
  return goes_on ? Died::at_the_step : Died::after_the_body;
}

long steps_of(const std::function<void()>& body) {
  const pid_t child = stopped_child(body);
  long steps = 0;
  while (steps != most_steps && step_once(child)) ++steps;
  kill_and_reap(child);
  return steps;
}

void at_each_step(const std::function<void()>& body, int samples,
                  const std::function<void(long step)>& once) {
  const long steps = steps_of(body);
  const long stride = std::max(1L, steps / samples);
  for (long step = 0; step <= steps; step += stride) once(step);
}

}  // namespace procpool::test
