#include "bench/family.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace bench {
namespace {

namespace fs = std::filesystem;

/// The number after `label` in a file of lines such as /proc/PID/status; 0 when it is gone.
std::uint64_t field(const fs::path& file, const std::string& label) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(label)) return std::stoull(line.substr(label.size()));
  }
  return 0;
}

std::uint64_t run_time(const fs::path& thread) {
  std::uint64_t nanoseconds = 0;
  std::ifstream(thread / "schedstat") >> nanoseconds;
  return nanoseconds;
}

bool is_number(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

using Parents = std::map<std::uint64_t, std::uint64_t>;

Parents all_processes() {
  Parents parents;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (is_number(name)) parents[std::stoull(name)] = field(entry.path() / "status", "PPid:");
  }
  return parents;
}

bool descends(std::uint64_t pid, std::uint64_t ancestor, const Parents& parents) {
  while (pid != ancestor && pid > 1) {
    const auto parent = parents.find(pid);
    pid = parent == parents.end() ? 0 : parent->second;
  }
  return pid == ancestor;
}

void add_process(std::uint64_t pid, Activity& activity) {
  const std::string self = std::to_string(gettid());
  std::error_code gone;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    if (thread.path().filename() == self) continue;
    activity.switches += field(thread.path() / "status", "voluntary_ctxt_switches:");
    activity.nanoseconds += run_time(thread.path());
  }
}

}  // namespace

Activity family_activity() {
  Activity activity;
  const auto self = static_cast<std::uint64_t>(getpid());
  const Parents parents = all_processes();
  for (const auto& [pid, parent] : parents) {
    if (descends(pid, self, parents)) add_process(pid, activity);
  }
  return activity;
}

}  // namespace bench
