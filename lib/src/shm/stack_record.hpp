#pragma once

// What    The stack of an element that has run for longer than its soft_timeout, in a page of its own,
//         which nobody touches until one is asked for. TaskHeader::stack_wanted says whose it is to be.
// Writers The worker's thread that runs tasks, in a signal handler. Only that element can be interrupted
//         in it, so nothing is written here for one that has ended. The wish: the supervisor, under its
//         lock; it asks anew only when the outcome of the element before was taken in.
// Order   `of` is stored after the bytes (ordered: the supervisor looks at it before it sleeps, and both
//         bells are rung after that). The supervisor loads it first, copies the bytes once, and checks
//         the copy.
// Death   Of the worker, at any instruction: bytes that `of` does not vouch for are not looked at.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace procpool::inline v0::shm {

struct StackRecord {
  std::atomic<std::uint64_t> of;  // the element (element.hpp)
  std::uint32_t size;
  std::byte bytes[4096 - 12];  // os/stack.hpp
};
static_assert(sizeof(StackRecord) == 4096);

}  // namespace procpool::inline v0::shm
