#pragma once

// On which processors things run. On a virtual machine placement alone moves a round trip between 2
// and 60 microseconds, so figures compare only when all sides are placed alike.

#include <sched.h>
#include <sys/types.h>

#include <string>

namespace bench {

enum class Layout { one_cpu, two_cpus, unpinned };

std::string name_of(Layout layout);

/// While it lives the calling thread, and what it starts, runs on the layout's first processor
/// (unpinned: where the scheduler likes). Throws where there are too few processors.
class Placement {
 public:
  explicit Placement(Layout layout);
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;
  ~Placement();

  /// Moves the other side (a process; 0: the calling thread) to where the layout wants it.
  void place_other(pid_t pid) const;

 private:
  Layout layout_;
  cpu_set_t before_;
  int second_ = -1;
};

}  // namespace bench
