#pragma once

// A worker's death in words, and in fields.

#include <exception>
#include <string>

#include <procpool/errors.hpp>

#include "os/limits.hpp"
#include "supervisor/worker.hpp"

namespace procpool::inline v0::supervisor {

/// "was killed by SIGSEGV", "exited with code 3".
std::string ending(const os::ExitStatus& status);
/// The same of a worker that is held to `limits`, which may be why.
std::string ending(const Worker& worker, const os::ResourceLimits& limits);

/// A WorkerCrashed with all that is known; `what` it was doing, as "ran f (attempt 1)". What takes long,
/// to put names to its stack, is done by whoever asks for the text.
std::exception_ptr crash_error(const Worker& worker, const os::ResourceLimits& limits,
                               const std::string& what, unsigned attempt);

}  // namespace procpool::inline v0::supervisor
