#pragma once

// Processes by pidfd: identity that cannot be recycled under us, exit status read once.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/deadline.hpp"
#include "os/fd.hpp"

namespace procpool::inline v0::os {

struct ExitStatus {
  enum class How : unsigned char { exited, signaled, unknown };
  How how = How::unknown;
  int value = 0;  // exit code or signal number
  bool core = false;
  std::uint64_t peak_memory = 0;  // bytes; 0: not known
  std::uint64_t cpu_time = 0;     // nanoseconds, user and system; 0: not known
};

pid_t this_pid() noexcept;
/// This thread's number, unique on the machine. That of a process's first thread is its pid.
pid_t this_thread() noexcept;
/// When the process was started, in ticks since boot: with the pid a name that is not used again.
/// 0: it has ended, or /proc does not say.
std::uint64_t started_at(pid_t pid);
/// Whether this is the thread that runs main and, before it, static initialisers.
bool on_main_thread() noexcept;
/// A pidfd, close-on-exec. Throws std::system_error; ESRCH when there is no such process.
Fd open_pidfd(pid_t pid);
/// The same for a child just started, which does not live on unwatched: when no descriptor is left it
/// is killed and reaped.
Fd open_child_pidfd(pid_t pid);
/// True once the process has exited (it may still be a zombie).
bool has_exited(int pidfd) noexcept;
/// Sleeps until it has; false: the deadline came first.
bool wait_for_exit(int pidfd, Deadline until) noexcept;
/// False when the process was already gone.
bool send_signal(int pidfd, int signal) noexcept;
/// SIGKILL to the process group `leader` leads. Only while that process is not yet reaped.
void kill_group(pid_t leader) noexcept;

/// Reaps a child that has exited: kills its group first (the pid is still ours as a zombie), then
/// takes the status. nullopt: still running. `unknown`: the host reaped it (waitpid(-1), SIGCHLD
/// ignored) or it is not our child.
std::optional<ExitStatus> reap(int pidfd, pid_t pid) noexcept;

/// Where this process's memory is told (/proc/self/statm); none where there is no /proc.
Fd open_own_memory() noexcept;
/// Bytes of its resident memory that no file or shared memory is behind; 0 where that is not told.
std::uint64_t private_bytes(const Fd& own_memory) noexcept;
/// How a process ended that somebody else has reaped, where the kernel still tells (Linux 6.15);
/// `unknown` elsewhere, and while it is not reaped.
ExitStatus status_after_reaping(int pidfd) noexcept;
/// The process group of a process; -1 when there is no such process.
pid_t group_of(pid_t pid) noexcept;

/// "SIGSEGV", "SIGKILL", "signal 42".
std::string signal_name(int signal);

/// fork(2) with stdio flushed first. 0 in the child, where every signal is blocked: no handler of the
/// program runs there, and none is lost before become_worker.
pid_t fork_process();
/// Flushes stdio (the sanitizers' and coverage's hooks too) and ends without running destructors.
[[noreturn]] void exit_now(int code) noexcept;

}  // namespace procpool::inline v0::os
