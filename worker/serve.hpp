#pragma once

// A worker's life: from its control socket to its end.

#include "os/fd.hpp"

namespace procpool::inline v0::worker {

/// Attaches to the supervisor behind `control`, runs what it sends, and ends the process.
[[noreturn]] void serve(os::Fd control) noexcept;

}  // namespace procpool::inline v0::worker
