#pragma once

// The seam through which the supervisor meets processes. Everything above it (scheduling, healing,
// settling) is tested with a launcher that starts none.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <procpool/options.hpp>

#include "os/fd.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::supervisor {

/// Names one attempt to start a worker, and the worker that came of it.
using Ticket = std::uint64_t;

struct LaunchEvent {
  enum class Kind {
    started,  // ticket, pid, pidfd
    failed,   // ticket, why
    exited,   // pid, status
    lost,     // why: the template process is gone; nothing more comes from this launcher
  };
  Kind kind = Kind::lost;
  Ticket ticket = 0;
  pid_t pid = 0;
  os::Fd pidfd = {};
  os::ExitStatus status = {};
  std::string why = {};
};

class Launcher {
 public:
  Launcher() = default;
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  virtual ~Launcher() = default;

  /// Asks for a worker at the other end of `control`. May take as long as a process start; never
  /// under the supervisor's lock. Throws std::system_error.
  virtual void launch(Ticket ticket, os::Fd control) = 0;
  /// Readable when `next` has something; -1: look after each `launch`.
  virtual int socket() const = 0;
  /// Never waits.
  virtual std::optional<LaunchEvent> next() = 0;
  /// How a worker that has exited ended; nullopt: the event `exited` will say.
  virtual std::optional<os::ExitStatus> status(pid_t pid, int pidfd) = 0;
  /// Kills the worker's whole process group, while it is not reaped.
  virtual void kill(pid_t pid, int pidfd) = 0;
  /// A request was not answered: ends the template process, so that it is `lost`.
  virtual void give_up() {}
  /// All workers are gone: ends the template process and waits for its end.
  virtual void finish() = 0;
};

/// Throws PoolBroken, saying what is in the way.
/// `inner_threads`: see os/thread_caps.hpp; 0: the environment is left alone.
std::unique_ptr<Launcher> make_spawn_launcher(const std::filesystem::path& program,
                                              int inner_threads = 0);
/// `preload`: what the template runs before its first fork (wire/hooks.hpp); none: nothing.
std::unique_ptr<Launcher> make_template_launcher(StartMethod method, int inner_threads = 0,
                                                 const os::Fd& preload = {});

}  // namespace procpool::inline v0::supervisor
