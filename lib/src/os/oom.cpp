#include "os/oom.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "os/cgroup.hpp"
#include "os/files.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr std::string_view name = "oom_kill ";

std::optional<std::uint64_t> kills_in(const std::filesystem::path& file) {
  const auto text = read_file(file.c_str());
  return text ? parse_oom_kills(*text) : std::nullopt;
}

std::optional<std::uint64_t> kills_in_group() {
  const auto cgroup = read_file("/proc/self/cgroup");
  const auto mounts = read_file("/proc/self/mountinfo");
  if (!cgroup || !mounts) return std::nullopt;
  for (const CgroupPlace& place : cgroup_places(*cgroup, *mounts)) {
    if (place.version != 2) continue;
    if (const auto kills = kills_in(place.directory / "memory.events")) return kills;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_oom_kills(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(name)) {
      std::uint64_t kills = 0;
      const char* const first = line.data() + name.size();
      if (std::from_chars(first, line.data() + line.size(), kills).ec != std::errc()) return {};
      return kills;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return std::nullopt;
}

OomKills oom_kills() {
  const auto vmstat = read_file("/proc/vmstat");
  return {kills_in_group(), vmstat ? parse_oom_kills(*vmstat) : std::nullopt};
}

}  // namespace procpool::inline v0::os
