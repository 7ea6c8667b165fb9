#pragma once

// Facts about the machine and about how this process was started.

#include <filesystem>
#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// min(affinity mask, cgroup v1/v2 CPU quota rounded up, PROCPOOL_PROCESSES), at least 1.
/// A PROCPOOL_PROCESSES that is not a positive number is ignored.
int usable_cpus();
/// Processors this process may run on, without quota or environment.
int affinity_cpus();

/// The command line as the kernel has it (/proc/self/cmdline): readable before main. Empty where
/// there is no /proc.
std::vector<std::string> command_line();

/// Largest file-descriptor number + 1 this process may open (soft RLIMIT_NOFILE).
int descriptor_limit();

}  // namespace procpool::inline v0::os
