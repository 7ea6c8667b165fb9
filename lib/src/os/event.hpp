#pragma once

// Ways to wake somebody: eventfds that are rung and never read (edge-triggered epoll sees every
// write), and futexes, shared between processes or private to one.

#include <atomic>
#include <cstdint>
#include <span>

#include "base/deadline.hpp"
#include "os/fd.hpp"

namespace procpool::inline v0::os {

/// A non-blocking, close-on-exec eventfd.
Fd make_event();

/// Adds 1. False when the descriptor is not (or no longer) an eventfd of ours: EBADF, EINVAL.
/// A full counter counts as rung. Async-signal-safe.
bool ring(int event) noexcept;

enum class Scope { process, shared };

/// Sleeps while `word == expected`, until woken or the deadline. May return early for no reason:
/// callers loop. Works on memory that is mapped read-only. True unless the deadline passed.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, Scope scope,
                Deadline until = never) noexcept;
void futex_wake(const std::atomic<std::uint32_t>& word, int sleepers, Scope scope) noexcept;

struct Watched {
  const std::atomic<std::uint32_t>* word;
  std::uint32_t expected;
};
inline constexpr std::size_t most_watched = 128;
/// futex_wait on several shared words at once, at most `most_watched`: sleeps while each has its
/// expected value. Where the kernel has no futex_waitv (before 5.16) only the first is watched, for
/// 20 ms at most, so that the caller looks for itself.
bool futex_wait_any(std::span<const Watched> words, Deadline until = never) noexcept;

/// Sets the bits of `set` and wakes all who sleep on the word, as one step: whoever is killed has
/// done both or nothing.
void futex_set_and_wake(std::atomic<std::uint32_t>& word, unsigned set) noexcept;

/// Lets another runnable thread of this processor go first; returns at once where there is none.
void yield() noexcept;

}  // namespace procpool::inline v0::os
