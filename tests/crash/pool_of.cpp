#include "crash/pool_of.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/processes.hpp"

namespace procpool::test {
namespace {

// A handle first, then the look: the number cannot be another's in between.
bool signal_named(pid_t pid, const std::string& name, int signal = SIGKILL) {
  if (pid <= 1) return false;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return false;
  const bool is_it = text_of("/proc/" + std::to_string(pid) + "/comm").starts_with(name);
  const bool sent = is_it && syscall(SYS_pidfd_send_signal, handle, signal, nullptr, 0) == 0;
  close(handle);
  return sent;
}

}  // namespace

bool kill_worker(pid_t pid) { return signal_worker(pid, SIGKILL); }
bool signal_worker(pid_t pid, int signal) { return signal_named(pid, "procpool-worker", signal); }
bool kill_template() { return signal_named(template_pid(), "procpool-templ"); }

pid_t template_pid() {
  for (const auto& process : descendants(getpid())) {
    if (process.name.starts_with("procpool-templ") && process.state != 'Z') return process.pid;
  }
  return 0;
}

}  // namespace procpool::test
