#pragma once

// What each worker of a pool is held to, limits and sandbox, as it lies in a sealed memory:
//
//   RulesHeader │ the call filter's instructions │ readable paths, each with a 0 at its end

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "os/fd.hpp"
#include "os/limits.hpp"

namespace procpool::inline v0::wire {

struct Rules {
  os::ResourceLimits limits = {};
  bool sandboxed = false;
  std::vector<std::byte> filter = {};  // os/call_filter.hpp; empty: there is none
  std::vector<std::string> readable = {};
};

struct RulesHeader {
  os::ResourceLimits limits;
  std::uint32_t sandboxed;
  std::uint32_t paths;
  std::uint64_t filter_bytes;
  std::uint64_t path_bytes;
};
static_assert(sizeof(RulesHeader) % 8 == 0);

/// No memory where nothing is ruled.
os::Fd write_rules(const Rules& rules);
Rules read_rules(std::span<const std::byte> memory);

}  // namespace procpool::inline v0::wire
