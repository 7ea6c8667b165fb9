#pragma once

// What a fork by the host program, or by a task, does to us.
//
// One pthread_atfork child handler: bumps the generation, closes every guarded descriptor, so that
// a stray child holds no lifeline, socket or doorbell of any pool. The registry's own lock is taken
// in the prepare handler and is never held across anything that can block.

#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// Guards a descriptor until it is closed (Fd::reset forgets it). Returns it. May be repeated.
Fd guard(Fd fd);
bool is_guarded(const Fd& fd) noexcept;

/// Called by Fd before a number is closed or given up. False: the guard closed it in this process
/// when it was forked, and the number may belong to somebody else by now.
bool forget_guarded(int fd, unsigned generation) noexcept;

/// After close_all_but: what is not in `keep` is closed and its numbers are free for anybody.
void forget_all_guarded_but(const int* keep, int count) noexcept;

/// Installs the handlers once. Called when the first pool is made and in every worker.
void watch_forks();

/// Bumped in each child made by fork: an object that remembers the value at its making knows that
/// it lives on in a copied process. 0 in the program itself. One plain load.
unsigned fork_generation() noexcept;

/// For our own forks (template, workers): runs fork_process() without the guard closing anything
/// and without bumping the generation.
int fork_unguarded();

/// While one lives no other thread's fork happens: between making a descriptor or mapping and
/// guarding it. For a few system calls, never around a fork in the same thread.
class ForkPause {
 public:
  ForkPause();
  ~ForkPause();
  ForkPause(const ForkPause&) = delete;
  ForkPause& operator=(const ForkPause&) = delete;
};

}  // namespace procpool::inline v0::os
