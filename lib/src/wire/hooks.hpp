#pragma once

// Code that every worker runs before its first task (or the template before its first fork), as it
// lies in a sealed memory:
//
//   u32 count │ per hook: HookHeader │ the callable's archive, from a multiple of 16

#include <cstddef>
#include <cstdint>
#include <span>

#include <procpool/hook.hpp>

#include "os/memory.hpp"

namespace procpool::inline v0::wire {

struct HookHeader {
  std::uint64_t module;  // where its descriptor lies (descriptor.hpp)
  std::uint64_t offset;
  std::uint64_t bytes;
};

/// Those that are not empty. No memory if there are none.
os::Fd write_hooks(std::span<const Hook> hooks);

/// Runs them in order. Throws what they throw, and UnknownTask for code that is not here.
void run_hooks(std::span<const std::byte> memory);

/// Runs one in this process, from the bytes that would travel; an empty one not.
void run_hook(const Hook& hook);

}  // namespace procpool::inline v0::wire
