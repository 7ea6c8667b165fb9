#include "bench/placement.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace bench {
namespace {

void confine(pid_t pid, const cpu_set_t& set) {
  if (sched_setaffinity(pid, sizeof set, &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
  }
}

cpu_set_t only(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return set;
}

/// The n-th processor of the set.
int nth(const cpu_set_t& set, int n) {
  for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set) && n-- == 0) return cpu;
  }
  throw std::runtime_error("this process may not use that many processors");
}

}  // namespace

std::string name_of(Layout layout) {
  switch (layout) {
    case Layout::one_cpu: return "one_cpu";
    case Layout::two_cpus: return "two_cpus";
    default: return "unpinned";
  }
}

Placement::Placement(Layout layout) : layout_(layout) {
  if (sched_getaffinity(0, sizeof before_, &before_) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  }
  if (layout == Layout::unpinned) return;
  second_ = nth(before_, layout == Layout::two_cpus ? 1 : 0);
  confine(0, only(nth(before_, 0)));
}

Placement::~Placement() { sched_setaffinity(0, sizeof before_, &before_); }

void Placement::place_other(pid_t pid) const {
  if (layout_ != Layout::unpinned) confine(pid, only(second_));
}

}  // namespace bench
