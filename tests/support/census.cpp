#include "support/census.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "support/processes.hpp"

namespace procpool::test {
namespace {

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    const bool is_this_listing = target.starts_with("/proc/") && target.ends_with("/fd");
    if (!gone && !is_this_listing) found[std::stoi(entry.path().filename())] = target;
  }
  return found;
}

std::map<int, std::string> live_descendants() {
  std::map<int, std::string> found;
  for (const auto& process : descendants(getpid())) {
    if (process.state != 'Z') found[process.pid] = process.name;
  }
  return found;
}

std::set<std::string> mapped_memfds() {
  std::set<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:") != std::string::npos) found.insert(line);
  }
  return found;
}

}  // namespace

Holdings Holdings::now() { return {open_descriptors(), live_descendants(), mapped_memfds()}; }

Census::~Census() {
  const Holdings after = Holdings::now();
  for (const auto& [fd, target] : after.descriptors) {
    const auto same = before_.descriptors.find(fd);
    if (same == before_.descriptors.end() || same->second != target)
      ADD_FAILURE() << "left behind: descriptor " << fd << " → " << target;
  }
  for (const auto& [pid, name] : after.processes) {
    if (!before_.processes.contains(pid) && !ended_within(pid, std::chrono::seconds(1)))
      ADD_FAILURE() << "left behind: process " << pid << " (" << name << ")";
  }
  for (const auto& line : after.memory) {
    if (!before_.memory.contains(line)) ADD_FAILURE() << "left behind: memory " << line;
  }
}

}  // namespace procpool::test
