#include "support/processes.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace procpool::test {
namespace {

// /proc/PID/stat is "pid (name) state parent …", and a name may hold spaces and brackets.
std::optional<ProcessInfo> process_info(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessInfo info{pid, 0, '?', stat.substr(open + 1, close - open - 1)};
  std::istringstream(stat.substr(close + 1)) >> info.state >> info.parent;
  return info;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (auto info = process_info(std::stoi(name))) all.push_back(*std::move(info));
  }
  return all;
}

}  // namespace

std::vector<ProcessInfo> descendants(pid_t root) {
  const auto all = all_processes();
  std::vector<ProcessInfo> found;
  const auto add_children_of = [&](pid_t parent) {
    std::ranges::copy_if(all, std::back_inserter(found),
                         [=](const ProcessInfo& info) { return info.parent == parent; });
  };
  add_children_of(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children_of(found[i].pid);
  return found;
}

bool ended_within(pid_t pid, std::chrono::milliseconds patience) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return true;
  pollfd ended{handle, POLLIN, 0};
  const bool result = poll(&ended, 1, static_cast<int>(patience.count())) > 0;
  close(handle);
  return result;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  try {
    return {std::istreambuf_iterator<char>(file), {}};
  } catch (const std::ios_base::failure&) {  // a process that ended between open and read
    return {};
  }
}

}  // namespace procpool::test
