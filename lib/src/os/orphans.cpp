// The children of this process, from /proc/<pid>/task/*/children (CONFIG_PROC_CHILDREN, as in every
// distribution), and what is done to those that nobody knows.

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "os/files.hpp"
#include "os/process.hpp"
#include "os/worker_setup.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr int patience_ms = 100;  // for one that is dying in the kernel; the next call takes it

void append_pids(const std::string& text, std::vector<pid_t>& pids) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc{}) pids.push_back(pid);
    at = next == at ? at + 1 : next;
  }
}

std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  const std::string root = "/proc/self/task/";
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir(root.c_str()), ::closedir);
  if (!tasks) return pids;
  while (const dirent* entry = ::readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto text = read_file((root + entry->d_name + "/children").c_str());
    if (text) append_pids(*text, pids);
  }
  return pids;
}

// A child of ours: its pid cannot be reused before we reap it.
void end_and_reap(pid_t pid) {
  ::kill(pid, SIGKILL);
  const Fd handle = open_pidfd(pid);
  pollfd entry{handle.get(), POLLIN, 0};
  ::poll(&entry, 1, patience_ms);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) {
    if (errno != EINTR) break;
  }
}

// True when there was one: its own children are ours now, so the caller looks again.
bool kill_unknown(bool (*is_known)(pid_t, void*), void* context) {
  bool any = false;
  for (const pid_t pid : children()) {
    if (is_known(pid, context)) continue;
    end_and_reap(pid);
    any = true;
  }
  return any;
}

}  // namespace

void kill_orphans(bool (*is_known)(pid_t, void*), void* context) noexcept {
  constexpr int generations = 16;
  try {
    for (int i = 0; i < generations && kill_unknown(is_known, context); ++i) continue;
  } catch (const std::exception&) {
    return;  // out of memory or descriptors: what is left is taken by the next call
  }
}

}  // namespace procpool::inline v0::os
