#pragma once

// What    A child that was started, until nobody wants to hear of it any more. Who is its parent (this
//         process or the template) tells how it ended.
// Writers pid, pidfd and reports_: the constructor. code_: whoever first learns it, under lock_.
// Death   Of the child: the kernel keeps its status for its parent. Of the template: what it had not
//         reported is asked of the kernel, which knows since Linux 6.15.

#include <sys/types.h>

#include <mutex>
#include <optional>

#include "base/deadline.hpp"
#include "os/fd.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::process {

/// What is said of an end that nobody saw; as Python says it.
inline constexpr int unknown_exit_code = 255;

class Child {
 public:
  /// `reports`: where the template will say how it ended; none for a child of this process.
  Child(pid_t pid, os::Fd pidfd, os::Fd reports);

  pid_t pid() const noexcept { return pid_; }
  int pidfd() const noexcept { return pidfd_.get(); }

  /// Reaps. False: the deadline came first.
  bool wait(Deadline until) noexcept;
  /// Empty while it runs; −n for signal n. Reaps.
  std::optional<int> exit_code() noexcept;
  void signal(int number) noexcept { os::send_signal(pidfd_.get(), number); }

 private:
  std::optional<os::ExitStatus> take_status() noexcept;
  os::ExitStatus reported() noexcept;

  const pid_t pid_;
  const os::Fd pidfd_;
  const os::Fd reports_;
  std::mutex lock_;
  std::optional<int> code_;
};

}  // namespace procpool::inline v0::process
