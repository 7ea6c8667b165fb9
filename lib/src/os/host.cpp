#include "os/host.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "os/cgroup.hpp"
#include "os/error.hpp"
#include "os/files.hpp"

namespace procpool::inline v0::os {
namespace {

std::optional<int> positive_number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view whole = text;
  int value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc{} || end != whole.data() + whole.size() || value < 1) return std::nullopt;
  return value;
}

}  // namespace

int affinity_cpus() {
  // EINVAL: the kernel's mask is wider than ours.
  for (std::size_t masks = 1; masks <= 64; masks *= 2) {
    std::vector<cpu_set_t> set(masks);
    const std::size_t bytes = masks * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) == 0) {
      return std::max(1, CPU_COUNT_S(bytes, set.data()));
    }
    if (errno != EINVAL) break;
  }
  return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

int usable_cpus() {
  int cpus = affinity_cpus();
  if (const auto quota = cpu_quota()) {
    cpus = static_cast<int>(std::min<double>(cpus, std::ceil(*quota)));
  }
  if (const auto wanted = positive_number(std::getenv("PROCPOOL_PROCESSES"))) {
    cpus = std::min(cpus, *wanted);
  }
  return std::max(cpus, 1);
}

std::vector<std::string> command_line() {
  std::vector<std::string> words;
  const std::string text = read_file("/proc/self/cmdline").value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

int descriptor_limit() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit(RLIMIT_NOFILE)");
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, INT_MAX));
}

}  // namespace procpool::inline v0::os
