#pragma once

/// \file
/// The same pool on threads of this process. Python: multiprocessing.pool.ThreadPool,
/// ThreadPoolExecutor.

#include <utility>

#include <procpool/pool.hpp>

namespace procpool::inline v0 {

/// A Pool whose backend is Backend::thread: it takes what Pool takes and gives what Pool gives, so that
/// code moves between them unchanged; arguments and results are encoded as for a process, and tasks
/// share no object by accident. For tasks that wait, for code that must be in this process, and for a
/// debugger. It has no protection: a task that crashes or exits takes the program with it, and one that
/// does not return when it is asked to stop keeps its thread.
class ThreadPool : public Pool {
 public:
  /// usable_cpus() threads.
  ThreadPool() : ThreadPool(PoolOptions{}) {}
  /// So many threads. Less than 1 (or more than 4096): Misuse.
  template <detail::CountLike I>
  explicit ThreadPool(I threads) : ThreadPool(counted(threads)) {}
  /// As Pool; `backend` need not be set, and what concerns processes only is ignored (Backend).
  explicit ThreadPool(PoolOptions options) : Pool(on_threads(std::move(options))) {}

 private:
  static PoolOptions on_threads(PoolOptions options) {
    options.backend = Backend::thread;
    return options;
  }
};

}  // namespace procpool::inline v0
