#pragma once

// A bare child process: the floor under everything a process pool does.

#include <sys/types.h>

#include <functional>

namespace bench {

/// Forks; the child runs `body` and exits with 0. It dies with this process.
pid_t fork_child(const std::function<void()>& body);
/// Waits for its end: its wait status.
int wait_for(pid_t child);
void kill_and_wait(pid_t child) noexcept;

}  // namespace bench
