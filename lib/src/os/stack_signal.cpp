// The kernel gives a process's signal to any thread that does not block it: one that was not meant
// passes it on.

#include "os/stack_signal.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/crash_signals.hpp"
#include "os/error.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::os {
namespace {

struct State {
  void (*asked)(void*) noexcept = nullptr;
  pid_t pid = 0;
  pid_t thread = 0;
};
State state;

void on_signal(int signal, siginfo_t*, void* context) noexcept {
  const int saved = errno;
  if (this_pid() == state.pid) {  // else a copy, made by the task
    if (this_thread() == state.thread) {
      state.asked(context);
    } else {
      ::syscall(SYS_tgkill, state.pid, state.thread, signal);
    }
  }
  errno = saved;
}

}  // namespace

void answer_stack_signal(void (*asked)(void*) noexcept) {
  stack_t handlers{};
  check(::sigaltstack(nullptr, &handlers), "sigaltstack");
  if ((handlers.ss_flags & SS_DISABLE) != 0) take_own_stack();  // nobody tells crashes here
  state = {asked, this_pid(), this_thread()};
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  check(::sigaction(stack_signal, &action, nullptr), "sigaction");
}

}  // namespace procpool::inline v0::os
