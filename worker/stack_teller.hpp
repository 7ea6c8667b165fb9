#pragma once

// What    Tells home, when it asks, where the element that runs here is: in a signal handler, without
//         memory from the heap and without locks (shm/stack_record.hpp).
// Writers What runs: the thread that runs tasks, which is the one that is interrupted.
// Death   See shm/stack_record.hpp. A copy that a task forked tells nothing.

#include <cstdint>

#include "channel/worker_end.hpp"

namespace procpool::inline v0::worker {

/// From now on. Once per process, by the thread that runs tasks; `end` must stay until its end.
void tell_stacks(channel::WorkerEnd& end);

/// This thread runs that element now (shm/element.hpp); 0: none.
void now_runs(std::uint64_t word) noexcept;

}  // namespace procpool::inline v0::worker
