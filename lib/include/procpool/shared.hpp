#pragma once

/// @file
/// State that several processes share, through handles that travel as arguments of tasks and of
/// Processes: alone, in containers and structs, bound by partial(), and back home as results. A handle
/// is small; copies of it mean the same state, and two handles are equal if they do. The state lives
/// while any handle does, anywhere. A handle that was moved from may only be assigned to and destroyed.
///
/// | for                               | see |
/// |-----------------------------------|-----|
/// | one at a time                     | procpool::Lock, procpool::RLock, procpool::Semaphore, procpool::BoundedSemaphore |
/// | waiting for each other            | procpool::Event, procpool::Condition, procpool::Barrier |
/// | values that all see               | procpool::SharedValue, procpool::SharedArray |
/// | values that go from one to others | procpool::Queue, procpool::JoinableQueue, procpool::Pipe |
///
/// Nothing here has a name on the machine, and nothing is left when the processes are gone. What is
/// made in a task can go on to pools and Processes of that task but not home: home knows what it made.

#include <procpool/detail/shared_array.hpp>
#include <procpool/detail/shared_lock.hpp>
#include <procpool/detail/shared_pipe.hpp>
#include <procpool/detail/shared_queue.hpp>
#include <procpool/detail/shared_sync.hpp>
