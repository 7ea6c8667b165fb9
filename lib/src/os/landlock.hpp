#pragma once

// Landlock, which no library wraps: three system calls of the kernel.

#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// The version of Landlock that this kernel has; 0: none.
int landlock_version() noexcept;

/// From now on this thread, and what it starts, reads only what lies under `readable` or is
/// `needed` by libraries (those that are not there are skipped), and changes nothing by name. Needs
/// no_new_privs. False: the kernel refused. Throws std::system_error for a path of `readable` that
/// cannot be opened.
bool restrict_files(int version, const std::vector<std::string>& readable,
                    const std::vector<const char*>& needed);

}  // namespace procpool::inline v0::os
