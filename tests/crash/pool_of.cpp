#include "crash/pool_of.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/processes.hpp"

namespace procpool::test {
namespace {

// A handle first, then the look: the number cannot be another's in between.
bool kill_named(pid_t pid, const std::string& name) {
  if (pid <= 1) return false;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return false;
  const bool is_it = text_of("/proc/" + std::to_string(pid) + "/comm").starts_with(name);
  const bool killed = is_it && syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0) == 0;
  close(handle);
  return killed;
}

}  // namespace

bool kill_worker(pid_t pid) { return kill_named(pid, "procpool-worker"); }
bool kill_template() { return kill_named(template_pid(), "procpool-templ"); }

pid_t template_pid() {
  for (const auto& process : descendants(getpid())) {
    if (process.name.starts_with("procpool-templ") && process.state != 'Z') return process.pid;
  }
  return 0;
}

}  // namespace procpool::test
