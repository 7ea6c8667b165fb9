#include "os/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "os/files.hpp"

namespace procpool::inline v0::os {
namespace {

namespace fs = std::filesystem;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool lists_cpu(std::string_view comma_separated) {
  const auto parts = split(comma_separated, ',');
  return std::find(parts.begin(), parts.end(), "cpu") != parts.end();
}

bool is_octal_escape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  return text.size() >= 4 && text[0] == '\\' && octal(text[1]) && octal(text[2]) && octal(text[3]);
}

// mountinfo writes blanks and backslashes as \040 and the like.
std::string unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    std::size_t used = 1;
    char c = text[0];
    if (is_octal_escape(text)) {
      c = static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      used = 4;
    }
    plain.push_back(c);
    text.remove_prefix(used);
  }
  return plain;
}

struct Mount {
  std::string root;
  std::string point;
  int version = 0;
};

// "36 35 98:0 /root /point rw,noatime master:1 - cgroup2 cgroup2 rw"
std::optional<Mount> parse_mount(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  const auto left = split(line.substr(0, dash), ' ');
  const auto right = split(line.substr(dash + 3), ' ');
  if (left.size() < 5 || right.empty()) return std::nullopt;
  const bool v2 = right[0] == "cgroup2";
  const bool v1 = right[0] == "cgroup" && right.size() >= 3 && lists_cpu(right[2]);
  if (!v1 && !v2) return std::nullopt;
  return Mount{unescape(left[3]), unescape(left[4]), v2 ? 2 : 1};
}

struct Membership {
  std::string path;
  int version = 0;
};

// "0::/user.slice" (v2), "4:cpu,cpuacct:/docker/1234" (v1). A path may hold colons.
std::optional<Membership> parse_membership(std::string_view line) {
  const std::size_t first = line.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = line.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::string_view controllers = line.substr(first + 1, second - first - 1);
  const std::string path(line.substr(second + 1));
  if (controllers.empty()) return Membership{path, 2};
  if (lists_cpu(controllers)) return Membership{path, 1};
  return std::nullopt;
}

// Where the group is seen through the mount. In a container the mount shows a part of the tree
// only, and the group may lie outside it: then the mount's own top is what is left to read.
fs::path seen_through(const Mount& mount, const std::string& path) {
  const fs::path relative = fs::path(path).lexically_relative(mount.root);
  if (relative.empty() || *relative.begin() == "..") return mount.point;
  return (fs::path(mount.point) / relative).lexically_normal();
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  long long used = 0;
  long long of = 0;
  const auto a = std::from_chars(quota.data(), quota.data() + quota.size(), used);
  const auto b = std::from_chars(period.data(), period.data() + period.size(), of);
  if (a.ec != std::errc{} || b.ec != std::errc{} || used <= 0 || of <= 0) return std::nullopt;
  return static_cast<double>(used) / static_cast<double>(of);
}

std::optional<double> quota_at(const fs::path& directory, int version) {
  if (version == 2) {
    const auto text = read_file((directory / "cpu.max").c_str());
    return text ? parse_cpu_max(*text) : std::nullopt;
  }
  const auto quota = read_file((directory / "cpu.cfs_quota_us").c_str());
  const auto period = read_file((directory / "cpu.cfs_period_us").c_str());
  return quota && period ? ratio(*quota, *period) : std::nullopt;
}

std::optional<double> tighter(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

std::vector<CgroupPlace> cgroup_places(std::string_view cgroup, std::string_view mountinfo) {
  std::vector<CgroupPlace> places;
  for (const std::string_view mount_line : split(mountinfo, '\n')) {
    const auto mount = parse_mount(mount_line);
    if (!mount) continue;
    for (const std::string_view line : split(cgroup, '\n')) {
      const auto member = parse_membership(line);
      if (!member || member->version != mount->version) continue;
      places.push_back({seen_through(*mount, member->path), mount->point, mount->version});
    }
  }
  return places;
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto words = split(text.substr(0, text.find('\n')), ' ');
  return words.size() == 2 ? ratio(words[0], words[1]) : std::nullopt;
}

std::optional<double> cpu_quota(const CgroupPlace& place) {
  std::optional<double> tightest;
  for (fs::path at = place.directory;; at = at.parent_path()) {
    tightest = tighter(tightest, quota_at(at, place.version));
    if (at == place.top || at == at.parent_path()) return tightest;
  }
}

std::optional<double> cpu_quota() {
  const auto cgroup = read_file("/proc/self/cgroup");
  const auto mountinfo = read_file("/proc/self/mountinfo");
  if (!cgroup || !mountinfo) return std::nullopt;
  std::optional<double> tightest;
  for (const CgroupPlace& place : cgroup_places(*cgroup, *mountinfo)) {
    tightest = tighter(tightest, cpu_quota(place));
  }
  return tightest;
}

}  // namespace procpool::inline v0::os
