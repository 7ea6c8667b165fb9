// A limit that the runtime may pass by a little (memory, descriptors) has its hard value above the
// soft one; all others are the same in both, so that no task raises them again.

#include "os/limits.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "os/error.hpp"
#include "os/files.hpp"

namespace procpool::inline v0::os {
namespace {

// With a soft limit of exactly 1 the kernel gives no dump to the program of core_pattern either; at
// 0 it would.
constexpr rlim_t no_core = 1;

// The soft values where there is room above them; 0: none. Written before any task.
rlim_t memory_limit = 0;
rlim_t descriptor_limit_set = 0;

rlimit get(__rlimit_resource resource) {
  rlimit now{};
  check(::getrlimit(resource, &now), "getrlimit");
  return now;
}

// Returns the soft limit that it is now.
rlim_t set(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
  const rlim_t most = get(resource).rlim_max;
  const rlimit wanted{std::min<rlim_t>(soft, most), std::min<rlim_t>(hard, most)};
  check(::setrlimit(resource, &wanted), "setrlimit");
  return wanted.rlim_cur;
}

std::uint64_t plus(std::uint64_t value, std::uint64_t more) {
  return value > unlimited - more ? unlimited : value + more;
}

// What RLIMIT_DATA counts; 0: not known.
std::uint64_t data_bytes() {
  const auto text = read_file("/proc/self/status");
  const std::size_t at = text ? text->find("VmData:") : std::string::npos;
  if (at == std::string::npos) return 0;
  return std::strtoull(text->c_str() + at + 7, nullptr, 10) * 1024;
}

void limit_memory(std::uint64_t bytes) {
  const std::uint64_t have = data_bytes();
  if (bytes < have) {
    throw std::runtime_error("memory_bytes is " + std::to_string(bytes) +
                             ", and a worker that has just started has " + std::to_string(have) +
                             " bytes of private memory already");
  }
  memory_limit = set(RLIMIT_DATA, bytes, plus(bytes, Headroom::spare_memory));
}

std::vector<unsigned> open_numbers() {
  std::vector<unsigned> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
  if (!folder) fail("opendir", "/proc/self/fd");
  while (const dirent* const entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto number = static_cast<unsigned>(std::strtoul(entry->d_name, nullptr, 10));
    if (number != static_cast<unsigned>(::dirfd(folder.get()))) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// The kernel limits the number of a new descriptor, not how many there are: the limit is the number
// below which exactly so many are free. What is open above it stays usable.
void limit_descriptors(std::uint64_t count) {
  std::uint64_t end = count;
  for (const unsigned number : open_numbers()) {
    if (number <= end) ++end;
  }
  descriptor_limit_set = set(RLIMIT_NOFILE, end, plus(end, Headroom::spare_descriptors));
}

void move_soft(__rlimit_resource resource, bool up, rlim_t low) noexcept {
  rlimit now{};
  if (low == 0 || ::getrlimit(resource, &now) != 0) return;
  now.rlim_cur = up ? now.rlim_max : std::min(low, now.rlim_max);
  ::setrlimit(resource, &now);
}

}  // namespace

void set_limits(const ResourceLimits& limits) {
  if (limits.cpu_seconds != unlimited) {
    set(RLIMIT_CPU, limits.cpu_seconds, plus(limits.cpu_seconds, 1));
  }
  if (limits.file_bytes != unlimited) {
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;  // writing fails instead
    check(::sigaction(SIGXFSZ, &ignored, nullptr), "sigaction");
    set(RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes);
  }
  if (limits.core_bytes != unlimited) {
    const auto bytes = std::max<std::uint64_t>(limits.core_bytes, no_core);
    set(RLIMIT_CORE, bytes, bytes);
  }
  if (limits.open_files != unlimited) limit_descriptors(limits.open_files);
  if (limits.memory != unlimited) limit_memory(limits.memory);
}

void Headroom::lift(bool up) noexcept {
  const int saved = errno;
  move_soft(RLIMIT_DATA, up, memory_limit);
  move_soft(RLIMIT_NOFILE, up, descriptor_limit_set);
  errno = saved;
}

}  // namespace procpool::inline v0::os
