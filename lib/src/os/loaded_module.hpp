#pragma once

// Which module an address of this process lies in.

#include <cstdint>
#include <span>

namespace procpool::inline v0::os {

struct LoadedModule {
  std::uintptr_t base = 0;  // what its addresses are counted from
  const char* name = nullptr;  // of the program none, or an empty one
  std::span<const unsigned char> build_id = {};
};

/// False: in none. Async-signal-safe with glibc 2.35 or later; elsewhere it takes the loader's lock. (The
/// unwinder does without that lock since libgcc 12.)
bool find_module(std::uintptr_t address, LoadedModule& found) noexcept;

}  // namespace procpool::inline v0::os
