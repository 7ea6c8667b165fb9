#pragma once

// Which system calls a sandboxed worker may make. The filter is built by libseccomp in the program
// that makes the pool, once, and travels to its workers as the kernel takes it: they need no
// library. The library itself is opened when it is needed (dlopen), so that no program has to link
// it.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// The instructions. Empty: libseccomp is not there, or not known to this build.
std::vector<std::byte> make_call_filter();

/// The same with `pid` as the process that may be signalled. False: it is not one of
/// make_call_filter.
bool set_own_pid(std::vector<std::byte>& filter, pid_t pid);

/// "connect"; where libseccomp is not there, "number 42".
std::string call_name(int number);

}  // namespace procpool::inline v0::os
