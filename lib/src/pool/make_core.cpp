// From options to a running core: what is checked, and when the workers start.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>
#include <procpool/named.hpp>
#include <procpool/options.hpp>

#include "local/sequential.hpp"
#include "local/threads.hpp"
#include "os/advice.hpp"
#include "os/fork.hpp"
#include "os/host.hpp"
#include "os/modules.hpp"
#include "os/private_files.hpp"
#include "os/role.hpp"
#include "pool/rules.hpp"
#include "supervisor/capsule_writer.hpp"
#include "supervisor/supervisor.hpp"
#include "wire/exports.hpp"
#include "wire/hooks.hpp"
#include "wire/rules.hpp"

namespace procpool::inline v0::detail {

namespace {

using wire::HookKind;

constexpr int most_processes = 4096;

int inner_threads(const PoolOptions& options, int processes) {
  if (options.inner_threads != 0) return std::max(options.inner_threads, 0);
  return std::max(os::usable_cpus() / processes, 1);
}

/// Their paths are absolute: a worker that is started later may be started elsewhere.
std::vector<std::string> module_files(const PoolOptions& options) {
  std::vector<std::string> files;
  for (const auto& file : options.modules) {
    if (file.empty()) throw Misuse("PoolOptions::modules has an empty path: name a file, or nothing");
    files.push_back(std::filesystem::absolute(file).string());
  }
  return files;
}

/// Loads the task modules, by a task that every worker program has (worker/modules.cpp).
Hook load_modules(const PoolOptions& options) {
  const std::vector<std::string> files = module_files(options);
  if (files.empty()) return {};
  return partial(remote<void(std::vector<std::string>)>(wire::load_modules_task), files);
}

/// What the template runs and what each worker runs. `spawn` has no template.
struct Hooks {
  explicit Hooks(const PoolOptions& options) {
    const bool has_template = options.start_method != StartMethod::spawn;
    const Hook none;
    const Hook modules = load_modules(options);
    const std::array all{std::pair(HookKind::modules, has_template ? none : modules),
                         std::pair(HookKind::preload, has_template ? none : options.preload),
                         std::pair(HookKind::initializer, options.initializer)};
    workers = os::guard(wire::write_hooks(all));
    for (const auto& [kind, hook] : all) {
      if (!hook) continue;
      const Attachments& named = hook.code()->attachments;
      state.insert(state.end(), named.begin(), named.end());
    }
    if (has_template) {
      if (options.preload && !options.preload.code()->attachments.empty()) {
        throw Misuse("PoolOptions::preload cannot have handles of shared state: the template process "
                     "has none; bind them to the initializer");
      }
      preload = std::make_shared<const os::Fd>(os::guard(
          wire::write_hooks(std::array{std::pair(HookKind::modules, modules),
                                       std::pair(HookKind::preload, options.preload)})));
    }
  }
  os::Fd workers;
  Attachments state;
  std::shared_ptr<const os::Fd> preload;
};

supervisor::MakeLauncher launcher_for(const PoolOptions& options, int threads, const Hooks& hooks) {
  if (options.start_method == StartMethod::spawn) {
    return [program = options.worker_executable, threads] {
      return supervisor::make_spawn_launcher(program, threads);
    };
  }
  return [method = options.start_method, threads, preload = hooks.preload] {
    return supervisor::make_template_launcher(method, threads, *preload);
  };
}

void check_options(const PoolOptions& options) {
  if (options.backend == Backend::process && !options.worker_executable.empty() &&
      options.start_method != StartMethod::spawn) {
    throw Misuse("PoolOptions::worker_executable needs start_method = StartMethod::spawn");
  }
  if (options.idle_timeout && *options.idle_timeout < std::chrono::milliseconds(1)) {
    throw Misuse("PoolOptions::idle_timeout must be at least 1 ms: leave it empty for workers that "
                 "stay");
  }
  if (options.max_start_failures < 1) {
    throw Misuse("PoolOptions::max_start_failures must be at least 1");
  }
  check_rules(options);
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

/// Null: none are to be left.
std::shared_ptr<supervisor::CapsuleWriter> capsules_for(const PoolOptions& options) {
  if (options.capsule_dir.empty()) return nullptr;
  wire::CapsulePool pool{.program = os::module_name(os::program_identity()),
                         .file = os::own_program_file(),
                         .start_method = options.start_method,
                         .modules = module_files(options)};
  bool name_state = false;
  for (const auto& [kind, hook] : {std::pair(HookKind::modules, load_modules(options)),
                                   std::pair(HookKind::preload, options.preload),
                                   std::pair(HookKind::initializer, options.initializer)}) {
    if (!hook) continue;
    const CodeAddress code = identify_code(hook.code()->descriptor);
    pool.hooks.push_back({static_cast<std::uint64_t>(kind), code.module, code.offset,
                          wire::blob_of(hook.code()->bytes)});
    name_state |= !hook.code()->attachments.empty();
  }
  return std::make_shared<supervisor::CapsuleWriter>(
      std::filesystem::absolute(options.capsule_dir), std::move(pool), name_state);
}

supervisor::Supervisor* new_supervisor(const PoolOptions& options, int processes, bool inert) {
  Hooks hooks(options);
  const wire::Rules rules = rules_of(options);
  return new supervisor::Supervisor(
      {.processes = processes,
       .inert = inert,
       .remake_launcher = options.start_method == StartMethod::forkserver,
       .foreign_workers = !options.worker_executable.empty(),
       .make_launcher = launcher_for(options, inner_threads(options, processes), hooks),
       .on_callback_error = options.on_callback_error,
       .hooks = std::move(hooks.workers),
       .hook_state = std::move(hooks.state),
       .rules = os::guard(wire::write_rules(rules)),
       .limits = rules.limits,
       .sandbox_is_strict = options.sandbox && options.sandbox->strict,
       .reuses_slabs = !options.sandbox,
       .max_tasks_per_child = options.max_tasks_per_child,
       .max_pending_bytes = options.max_pending_bytes,
       .max_memory_growth = options.max_memory_growth_bytes,
       .idle_timeout = options.idle_timeout,
       .max_start_failures = options.max_start_failures,
       .crash_handlers = options.crash_handlers,
       .capsules = capsules_for(options)});
}

local::LocalCore* new_local(const PoolOptions& options, int processes) {
  local::Settings settings{.processes = processes,
                           .max_pending_bytes = options.max_pending_bytes,
                           .on_callback_error = options.on_callback_error,
                           .modules = load_modules(options),
                           .preload = options.preload,
                           .initializer = options.initializer};
  if (options.backend == Backend::sequential) return new local::Sequential(std::move(settings));
  return new local::Threads(std::move(settings));
}

template <class AnyCore>
void start_now(AnyCore& core) {
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

[[noreturn]] void throw_not_made(const std::exception& error) {
  throw PoolBroken(std::string("the pool cannot be made: ") + error.what() +
                   os::advice_on(error.what()));
}

}  // namespace

void check_processes(int processes) {
  if (processes >= 1 && processes <= most_processes) return;
  throw Misuse("Number of processes must be at least 1 and at most " +
               std::to_string(most_processes) + " (it is " + std::to_string(processes) + ")");
}

Core* make_core(const PoolOptions& options) try {
  check_options(options);
  const int processes = options.processes.value_or(os::usable_cpus());
  check_processes(processes);
  // In a template, or in a worker that has not got to its tasks, this object is only static
  // initialisation run again.
  const bool inert = os::role() != os::Role::program && !os::initialised() && os::role_socket();
  os::watch_forks();
  if (options.backend != Backend::process) {
    auto* const core = new_local(options, processes);
    if (!inert) start_now(*core);  // else at its first use
    return core;
  }
  const bool now = !inert && can_start(options);
  auto* const core = new_supervisor(options, processes, inert);
  if (now) start_now(*core);
  if (!now && !inert) start_at_init(*core);
  return core;
} catch (const std::system_error& error) {  // no descriptors, processes, …
  throw_not_made(error);
} catch (const std::bad_alloc& error) {
  throw_not_made(error);
}

}  // namespace procpool::inline v0::detail
