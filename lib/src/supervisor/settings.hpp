#pragma once

// What a supervisor is made with.

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include <procpool/detail/span_out.hpp>
#include <procpool/options.hpp>

#include "os/fd.hpp"
#include "os/limits.hpp"
#include "supervisor/healing.hpp"
#include "supervisor/launcher.hpp"

namespace procpool::inline v0::supervisor {

class CapsuleWriter;

/// Makes a launcher: once when the pool starts, and again after a template process was lost.
using MakeLauncher = std::function<std::unique_ptr<Launcher>()>;

struct Settings {
  int processes = 1;
  bool inert = false;  // made by static initialisation that ran again in a worker: never starts
  bool remake_launcher = true;   // fork: never a second snapshot
  bool foreign_workers = false;  // worker_executable: another program
  MakeLauncher make_launcher;
  std::function<void(std::exception_ptr)> on_callback_error;
  os::Fd hooks = {};  // what each worker runs first (wire/hooks.hpp); none: nothing
  detail::Attachments hook_state = {};  // what they name
  os::Fd rules = {};  // what each worker is held to (wire/rules.hpp); none: nothing
  os::ResourceLimits limits = {};  // as in these
  bool sandbox_is_strict = false;
  bool reuses_slabs = true;  // false: no worker sees what another's call was (channel/slab_store.hpp)
  unsigned max_tasks_per_child = 0;
  std::size_t max_pending_bytes = 0;
  std::size_t max_memory_growth = 0;
  std::optional<Duration> idle_timeout = {};
  unsigned max_start_failures = default_start_failures;
  bool crash_handlers = true;
  std::shared_ptr<CapsuleWriter> capsules = {};  // null: none are left
};

}  // namespace procpool::inline v0::supervisor
