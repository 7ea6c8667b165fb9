#pragma once

// What    What a program keeps for all its Processes once it has started one: the lifeline that their
//         children hold, and the template that those of `forkserver` are forked from.
// Writers lifeline_: the constructor. template_: under lock_, which is held while one request is made and
//         answered (the template forks one at a time).
// Forks   A copied process leaves the object alone and makes its own.
// Death   Of the template: the next request makes another. Of this process: the kernel closes the
//         lifeline, and with it the children; the template sees it and ends.

#include <memory>
#include <mutex>
#include <optional>

#include "os/fd.hpp"
#include "os/worker_setup.hpp"
#include "process/child.hpp"
#include "supervisor/launcher.hpp"

namespace procpool::inline v0::process {

class Home {
 public:
  /// Of this process. Throws std::system_error.
  static Home& get();

  const os::Fd& tether() const noexcept { return lifeline_.tether; }

  struct Forked {
    std::unique_ptr<Child> child;
    os::Fd control;  // to it; it waits there for its call
  };
  /// Throws PoolBroken and std::system_error.
  Forked fork_from_template();

 private:
  Home();
  bool has_template();
  std::optional<Forked> ask_template();  // nothing: it is gone
  std::nullopt_t not_taken();

  const unsigned generation_;
  os::Lifeline lifeline_;
  std::mutex lock_;
  std::unique_ptr<supervisor::Launcher> template_;
};

}  // namespace procpool::inline v0::process
