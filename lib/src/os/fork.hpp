#pragma once

// What a fork by the host program, or by a task, does to us.
//
// One pthread_atfork child handler: sets `forked()`, closes every guarded descriptor, so that a
// stray child holds no lifeline, socket or doorbell of any pool. The registry's own lock is taken
// in the prepare handler and is never held across anything that can block.

#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// Guards a descriptor until it is closed (Fd::reset forgets it). Returns it.
Fd guard(Fd fd);

/// Installs the handlers once. Called when the first pool is made and in every worker.
void watch_forks();

/// Bumped in each child made by fork: an object that remembers the value at its making knows that
/// it lives on in a copied process. 0 in the program itself. One relaxed load.
unsigned fork_generation() noexcept;

/// For our own forks (template, workers): runs fork_process() without the guard closing anything
/// and without bumping the generation.
int fork_unguarded();

}  // namespace procpool::inline v0::os
