#pragma once

/// \file
/// What concerns the whole program.

namespace procpool::inline v0 {

/// First line of main. In the program itself it notes that main runs, starts the workers of pools
/// made before main, and returns. In a process that procpool started from this program (a template or
/// a worker) it serves, and does not return. Called twice, the second call does nothing.
///
/// Nor does it return when the program's two arguments are `--procpool-replay FILE` or
/// `--procpool-describe FILE`, where FILE is a capsule: see PoolOptions::capsule_dir. The former runs
/// the pool's preload and initializer and then the task, in this process, without its limits and its
/// timeout. The program ends with 0 after a value, with 1 after an exception, with 2 when the task cannot
/// be run, and dies of what the task dies of.
///
/// Throws PoolBroken when one of those pools could not be started, after it has started the others;
/// what had been submitted to that pool ends with PoolBroken.
///
/// Static initialisation runs in every such process before `init`; keep it free of side effects that
/// must happen once.
void init(int argc, char** argv);

/// Whether this process runs the callables of another: as a pool's worker or as a Process's child.
/// Python: parent_process() is not None.
[[nodiscard]] bool in_worker() noexcept;

/// min(affinity mask, cgroup quota rounded up, PROCPOOL_PROCESSES), at least 1: what a Pool uses by
/// default. Better than Python's cpu_count, which ignores quotas.
[[nodiscard]] int usable_cpus();

}  // namespace procpool::inline v0
