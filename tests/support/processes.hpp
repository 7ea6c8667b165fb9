// What /proc says about the processes that this one has started.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace procpool::test {

struct ProcessInfo {
  pid_t pid;
  pid_t parent;
  char state;  // as in ps: R, S, D, T, Z…
  std::string name;
};

// Children, their children and so on, zombies too; parents come before their children. A process
// whose parent has died belongs to its subreaper, and is not found when that is not ours.
std::vector<ProcessInfo> descendants(pid_t root);

// True as soon as the process has ended (reaped or not); false when the time is over.
bool ended_within(pid_t pid, std::chrono::milliseconds patience);

// The whole text of a file such as those in /proc; empty when it cannot be read.
std::string text_of(const std::string& path);

}  // namespace procpool::test
