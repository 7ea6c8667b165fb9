#pragma once

// Runs the one callable of a Process.

#include <vector>

#include "os/fd.hpp"

namespace procpool::inline v0::worker {

/// `fds`: what came with the `run` message; the rest comes from `control`. Throws what keeps it from
/// starting; ends the process by what the callable does.
[[noreturn]] void run_process(os::Fd control, std::vector<os::Fd> fds);

}  // namespace procpool::inline v0::worker
