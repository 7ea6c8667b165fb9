// From options to a running core: what is checked, and when the workers start.

#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

#include "os/fork.hpp"
#include "os/host.hpp"
#include "os/role.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::detail {

namespace {

constexpr int most_processes = 4096;

int checked_processes(const PoolOptions& options) {
  const int processes = options.processes.value_or(os::usable_cpus());
  if (processes < 1) {
    throw Misuse("Number of processes must be at least 1 (it is " + std::to_string(processes) + ")");
  }
  if (processes > most_processes) {
    throw Misuse("Number of processes must be at most 4096 (it is " + std::to_string(processes) +
                 ")");
  }
  return processes;
}

supervisor::MakeLauncher launcher_for(const PoolOptions& options) {
  if (options.start_method == StartMethod::spawn) {
    return [program = options.worker_executable] {
      return supervisor::make_spawn_launcher(program);
    };
  }
  return [method = options.start_method] { return supervisor::make_template_launcher(method); };
}

void check_options(const PoolOptions& options) {
  if (!options.worker_executable.empty() && options.start_method != StartMethod::spawn) {
    throw Misuse("PoolOptions::worker_executable needs start_method = StartMethod::spawn");
  }
}

/// Whether the workers can be started now; false: at `init`. Before main a fork would copy a program
/// that does not know all its tasks yet.
bool can_start(const PoolOptions& options) {
  if (os::initialised()) return true;
  if (!os::main_has_begun()) return false;
  if (options.start_method == StartMethod::fork) return true;
  throw Misuse("procpool::init was not called: write procpool::init(argc, argv); as the first line "
               "of main, or use StartMethod::fork");
}

supervisor::Supervisor* new_supervisor(const PoolOptions& options, int processes) {
  return new supervisor::Supervisor(
      {.processes = processes,
       .remake_launcher = options.start_method == StartMethod::forkserver,
       .foreign_workers = !options.worker_executable.empty(),
       .make_launcher = launcher_for(options),
       .on_callback_error = options.on_callback_error});
}

void start_now(supervisor::Supervisor& core) {
  try {
    core.start();
  } catch (...) {
    core.release();
    throw;
  }
}

void start_at_init(supervisor::Supervisor& core) {
  core.retain();
  os::at_init([&core] {
    const std::unique_ptr<Core, void (*)(Core*)> held(&core, [](Core* c) { c->release(); });
    core.start();
  });
}

}  // namespace

Core* make_core(const PoolOptions& options) try {
  check_options(options);
  const int processes = checked_processes(options);
  // In a template, or in a worker that has not got to its tasks, this object is only static
  // initialisation run again.
  const bool inert = os::role() != os::Role::program && !os::initialised() && os::role_socket();
  const bool now = !inert && can_start(options);
  os::watch_forks();
  auto* const core = new_supervisor(options, processes);
  if (now) start_now(*core);
  if (!now && !inert) start_at_init(*core);
  return core;
} catch (const std::system_error& error) {  // no descriptors, processes, …
  throw PoolBroken(std::string("the pool cannot be made: ") + error.what());
}

}  // namespace procpool::inline v0::detail
