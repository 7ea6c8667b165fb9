#pragma once

// Keeps the end of what this process writes through std::cerr and std::clog, and changes nothing
// else: it goes on to where it went before, at the same moment. (What is written by fprintf(stderr)
// or write(2) passes by: to see that, stderr itself would have to be another file, and then it
// would come late, out of order, and from what is no terminal.)

#include "shm/stderr_tail.hpp"

namespace procpool::inline v0::worker {

/// Once per process; `tail` must stay until its end.
void keep_stderr(shm::StderrTail& tail);

}  // namespace procpool::inline v0::worker
