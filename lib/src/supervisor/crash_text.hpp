#pragma once

// A worker's death in words, and in fields.

#include <string>

#include <procpool/errors.hpp>

#include "supervisor/worker.hpp"

namespace procpool::inline v0::supervisor {

/// "was killed by SIGSEGV", "exited with code 3".
std::string ending(const os::ExitStatus& status);
std::string ending(const Worker& worker);

/// All that is known of it; `what` it was doing, as "ran f (attempt 1)".
CrashReport crash_report(const Worker& worker, const std::string& what);

}  // namespace procpool::inline v0::supervisor
