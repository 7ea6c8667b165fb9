#pragma once

/// \file
/// The pool of worker processes. Python: multiprocessing.pool.Pool,
/// concurrent.futures.ProcessPoolExecutor (3.13).

#include <sys/types.h>

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/future.hpp>
#include <procpool/options.hpp>
#include <procpool/results.hpp>
#include <procpool/stats.hpp>
#include <procpool/submissions.hpp>
#include <procpool/task.hpp>

namespace procpool::inline v0 {

namespace detail {

inline const std::shared_ptr<const TaskOptions> no_options;

template <class I>
concept CountLike = std::integral<I> && !std::same_as<I, bool> && !std::same_as<I, char> &&
                    !std::same_as<I, wchar_t> && !std::same_as<I, char8_t> &&
                    !std::same_as<I, char16_t> && !std::same_as<I, char32_t>;

}  // namespace detail

/// A pool seen through options: `pool.with({.retries = 2}).map(f, xs)`. Borrows the pool, which must
/// outlive it. `with` again replaces the options of that kind whole.
class [[nodiscard]] PoolWith : public Submissions<PoolWith> {
 public:
  ///@{

  /// The same pool with these options instead of those of their kind. Throws Misuse for a task option
  /// out of range.
  PoolWith with(TaskOptions task) const {
    return PoolWith(*pool_, detail::share_options(std::move(task)), map_);
  }
  PoolWith with(MapOptions map) const { return PoolWith(*pool_, task_, std::move(map)); }
  ///@}

 private:
  friend Pool;
  friend Submissions<PoolWith>;
  PoolWith(const Pool& pool, std::shared_ptr<const TaskOptions> task, MapOptions map)
      : pool_(&pool), task_(std::move(task)), map_(std::move(map)) {}
  detail::Core& submission_core() const;
  const std::shared_ptr<const TaskOptions>& submission_task() const { return task_; }
  MapOptions submission_map() const { return map_; }

  const Pool* pool_;
  std::shared_ptr<const TaskOptions> task_;  // null: every default
  MapOptions map_;
};

/// Worker processes that run tasks, one at a time each. A task may crash, hang its worker, call
/// exit() or be killed at any instruction: its future says so, a replacement is started, and no other
/// task is harmed.
///
/// Its submission calls (apply, submit, map, imap and their kin) are those of Submissions, which says what
/// travels and what they throw.
///
/// Move-only. Every member may be called from any thread; moving and destroying need care as with
/// any object. Every member of a moved-from pool throws Misuse, but for `close`, which does nothing.
class Pool : public Submissions<Pool> {
 public:
  /// usable_cpus() workers; every other option at its default, and errors as below.
  Pool();
  /// So many workers. Less than 1 or more than 4096: Misuse.
  template <detail::CountLike I>
  explicit Pool(I processes) : Pool(counted(processes)) {}
  /// Starts the workers and returns when all are up. Throws Misuse (an option out of range; `init`
  /// was not called in main, where the start method needs it) and PoolBroken (a worker could not be
  /// started: why); then nothing is left behind. A pool with static storage duration that is made
  /// before main starts its workers at `init`.
  explicit Pool(PoolOptions options);
  ///@{

  /// Moving takes the pool along with its workers and tasks. Assigning swaps the two: the one that was
  /// assigned over lives on in `other` until that is destroyed.
  Pool(Pool&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Pool& operator=(Pool&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ///@}
  /// close() and join(): what was submitted completes. While an exception unwinds: terminate() and
  /// join(). In one of the pool's own callbacks: close() only. (Python's `with` always terminates.)
  ~Pool();

  /// No more work is taken (PoolClosed); what was submitted completes; then the workers end. A
  /// second close does nothing.
  void close() noexcept;
  /// Queued and running work ends at once; every future that was not done ends with PoolTerminated
  /// (in Python it never does). May be called in callbacks.
  void terminate();
  /// Waits until every worker has ended. Misuse on a pool that was neither closed nor terminated
  /// ("Pool is still running"), and in one of the pool's own callbacks. What was submitted to a pool
  /// that is closed, or gone, before it starts at `init` runs then; to wait for that before `init`,
  /// without a deadline or in a main that does not call it, is Misuse.
  void join();
  /// The same for at most `d`; false: workers were still running.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(std::chrono::duration<Rep, Period> d) {
    return join_until(detail::time_after(d));
  }

  /// close(), then, unless `wait` is false, join(). `cancel_futures`: what has not started ends with
  /// Cancelled. With `wait`, Misuse in one of the pool's own callbacks, after the pool has been closed.
  /// (Executor.shutdown)
  void shutdown(ShutdownOptions options = {});

  ///@{

  /// The submission calls with these options: for tasks and the elements of maps, or for maps. Throws
  /// Misuse for a task option out of range. What `with` returns borrows the pool.
  PoolWith with(TaskOptions task) const {
    return PoolWith(*this, detail::share_options(std::move(task)), {});
  }
  PoolWith with(MapOptions map) const { return PoolWith(*this, {}, std::move(map)); }
  ///@}

  /// From now on so many places, less than 1 or more than 4096: Misuse. Returns at once: workers are
  /// started in the background; workers that are too many finish what they run, and what waits in
  /// their hands goes to others. (loky: get_reusable_executor(max_workers))
  void resize(int processes);
  /// Places for workers.
  int processes() const;
  /// One pid per place: neither replacements being warmed nor the template process. Waits, a little,
  /// for places whose worker is just being replaced; workers that left for idle_timeout are missing.
  std::vector<pid_t> pids() const;
  /// What has been done so far.
  PoolStats stats() const;

 protected:
  /// \private
  template <class I>
  static PoolOptions counted(I processes) {
    PoolOptions options;
    options.processes = std::in_range<int>(processes) ? static_cast<int>(processes) : 0;
    return options;
  }

 private:
  friend Submissions<Pool>;
  friend PoolWith;

  bool join_until(detail::Time until);
  detail::Core& submission_core() const;
  const std::shared_ptr<const TaskOptions>& submission_task() const { return detail::no_options; }
  MapOptions submission_map() const { return {}; }

  detail::Core* core_ = nullptr;
  int unwinding_ = std::uncaught_exceptions();
};

inline detail::Core& PoolWith::submission_core() const { return pool_->submission_core(); }

}  // namespace procpool::inline v0
