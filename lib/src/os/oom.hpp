#pragma once

// What the kernel says of processes that it killed for want of memory. Counters: evidence is that
// one grew.

#include <cstdint>
#include <optional>
#include <string_view>

namespace procpool::inline v0::os {

struct OomKills {
  std::optional<std::uint64_t> group;    // in this process's control group and those below (v2)
  std::optional<std::uint64_t> machine;  // everywhere (/proc/vmstat)
};
OomKills oom_kills();

/// The number after `oom_kill` at the start of a line: memory.events, vmstat.
std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

}  // namespace procpool::inline v0::os
