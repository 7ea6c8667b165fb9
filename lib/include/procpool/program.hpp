#pragma once

/// \file
/// What concerns the whole program.

namespace procpool::inline v0 {

/// First line of main. In the program itself it notes that main runs, starts the workers of pools
/// made before main, and returns. In a process that procpool started from this program (a template or
/// a worker) it serves, and does not return. Called twice, the second call does nothing.
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
