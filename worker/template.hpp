#pragma once

// The template process: single-threaded, forks workers on request, tells the supervisor how they
// ended, and takes everything with it when the supervisor is gone.

#include "os/fd.hpp"

namespace procpool::inline v0::worker {

/// Serves the supervisor at the other end of `socket` until it is gone, then kills every worker's
/// process group and ends. `snapshot`: this process is a fork of the program (start method `fork`),
/// whose own descriptors workers keep; otherwise workers keep nothing but what they need.
[[noreturn]] void serve_as_template(os::Fd socket, bool snapshot) noexcept;

}  // namespace procpool::inline v0::worker
