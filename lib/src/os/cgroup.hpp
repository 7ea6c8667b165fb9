#pragma once

// CPU quotas of control groups, v1 and v2, as text and paths: testable without any.

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace procpool::inline v0::os {

/// A directory whose quota applies to this process, and the mount point where the walk up ends.
struct CgroupPlace {
  std::filesystem::path directory;
  std::filesystem::path top;
  int version = 2;
};

/// From the texts of /proc/self/cgroup and /proc/self/mountinfo.
std::vector<CgroupPlace> cgroup_places(std::string_view cgroup, std::string_view mountinfo);

/// "150000 100000" → 1.5; "max 100000" and nonsense → nothing.
std::optional<double> parse_cpu_max(std::string_view text);

/// The tightest quota in processors from `place.directory` up to `place.top`.
std::optional<double> cpu_quota(const CgroupPlace& place);

/// The tightest quota of this process. Nothing where there is none, or no /proc.
std::optional<double> cpu_quota();

}  // namespace procpool::inline v0::os
