#pragma once

/// \file
/// The pool of worker processes. Python: multiprocessing.pool.Pool, ProcessPoolExecutor.

#include <sys/types.h>

#include <chrono>
#include <concepts>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/detail/encode.hpp>
#include <procpool/detail/map.hpp>
#include <procpool/detail/stream.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/future.hpp>
#include <procpool/options.hpp>
#include <procpool/results.hpp>
#include <procpool/stats.hpp>
#include <procpool/task.hpp>

namespace procpool::inline v0 {

class Pool;

namespace detail {

inline const std::shared_ptr<const TaskOptions> no_options;

template <class Range>
concept InputRange = std::ranges::input_range<Range>;

template <class I>
concept CountLike = std::integral<I> && !std::same_as<I, bool> && !std::same_as<I, char> &&
                    !std::same_as<I, wchar_t> && !std::same_as<I, char8_t> &&
                    !std::same_as<I, char16_t> && !std::same_as<I, char32_t>;

}  // namespace detail

/// The submission calls, of a Pool and of what `with` returns.
///
/// **What travels.** As with std::thread, each argument crosses as its std::decay_t and each element
/// as its range's value_type, and the callable gets them as rvalues (task.hpp has the whole rule). A
/// callable or argument that cannot be sent is refused at compile time with what to write instead.
///
/// **Errors.** Each call throws, before anything has been submitted: EncodingError when an argument
/// cannot be encoded; PoolClosed after `close`, PoolTerminated after `terminate`, PoolBroken when
/// workers cannot be started any more, Misuse on a moved-from pool or on a pool that a fork copied.
/// What a task throws comes out of the future, map, or iterator.
///
/// **Waiting.** Where PoolOptions::max_pending_bytes is set, `submit` and the map calls wait while
/// too much is pending, except in the pool's own callbacks.
///
/// **Threads.** Every call may be made from any thread, callbacks included.
template <class Self>
class Submissions {
 public:
  /// Runs `f(args...)` in a worker and waits: its value, or its error thrown. (Pool.apply)
  template <class F, class... Args>
  auto apply(F&& f, Args&&... args) const -> task_result_t<F, Args...> {
    return submit(std::forward<F>(f), std::forward<Args>(args)...).get();
  }
  /// Returns at once. (Pool.apply_async, Executor.submit: one call under both its Python names.)
  template <class F, class... Args>
  auto submit(F&& f, Args&&... args) const -> Future<task_result_t<F, Args...>> {
    static_cast<void>(detail::check_call<F, Args...>());
    if constexpr (task<F, Args...>) {
      return detail::make_call<F, Args...>(core(), detail::Admission::wait, task_options(), f,
                                           args...);
    } else {
      return {};
    }
  }
  template <class F, class... Args>
  auto apply_async(F&& f, Args&&... args) const -> Future<task_result_t<F, Args...>> {
    return submit(std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// The same, but where `submit` would wait because of PoolOptions::max_pending_bytes it takes
  /// nothing and returns nullopt.
  template <class F, class... Args>
  [[nodiscard]] auto try_submit(F&& f, Args&&... args) const
      -> std::optional<Future<task_result_t<F, Args...>>> {
    static_cast<void>(detail::check_call<F, Args...>());
    if constexpr (task<F, Args...>) {
      auto future = detail::make_call<F, Args...>(core(), detail::Admission::decline,
                                                  task_options(), f, args...);
      if (future.valid()) return future;
    }
    return std::nullopt;
  }

  /// `f` of every element, in the order of the input. Reads the whole input, waits for every element
  /// and only then throws, the error of the lowest index. (Pool.map; over several ranges it stops
  /// at the shortest.) An exception of the input range comes out of the call; nothing was submitted.
  template <class F, detail::InputRange Range>
  auto map(F&& f, Range&& range, MapOptions options) const {
    return borrowing(options, f, range).get();
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  auto map(F&& f, Range&& range, Ranges&&... ranges) const {
    return borrowing(map_options(), f, range, ranges...).get();
  }
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return borrowing(options, f, elements).get();
  }
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> elements) const {
    return borrowing(map_options(), f, elements).get();
  }

  /// The same, returning at once with one future for the whole. The input has been read then.
  template <class F, detail::InputRange Range>
  auto map_async(F&& f, Range&& range, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(options, f, range);
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  auto map_async(F&& f, Range&& range, Ranges&&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(map_options(), f, range, ranges...);
  }
  template <class F, class T>
  auto map_async(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(options, f, elements);
  }
  template <class F, class T>
  auto map_async(F&& f, std::initializer_list<T> elements) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(map_options(), f, elements);
  }

  /// As map, but waits for every element and throws no task's error: each place holds the value or
  /// that element's own error. The loss of a worker costs one place.
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto map_settled(F&& f, Range&& range, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(options, f, range).get();
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto map_settled(F&& f, Range&& range, Ranges&&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(map_options(), f, range,
                                                                ranges...)
        .get();
  }
  template <class F, class T>
  [[nodiscard]] auto map_settled(F&& f, std::initializer_list<T> elements,
                                 MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(options, f, elements).get();
  }
  template <class F, class T>
  [[nodiscard]] auto map_settled(F&& f, std::initializer_list<T> elements) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(map_options(), f, elements).get();
  }

  /// As map, each element a tuple-like (tuple, pair, array) of arguments. (Pool.starmap)
  template <class F, detail::InputRange Range>
  auto starmap(F&& f, Range&& tuples, MapOptions options) const {
    return eager<detail::ElementsAreTuples, detail::MapNode>(options, f, tuples).get();
  }
  template <class F, detail::InputRange Range>
  auto starmap(F&& f, Range&& tuples) const {
    return starmap(std::forward<F>(f), tuples, map_options());
  }
  template <class F, detail::InputRange Range>
  auto starmap_async(F&& f, Range&& tuples, MapOptions options) const {
    return eager<detail::ElementsAreTuples, detail::MapNode>(options, f, tuples);
  }
  template <class F, detail::InputRange Range>
  auto starmap_async(F&& f, Range&& tuples) const {
    return starmap_async(std::forward<F>(f), tuples, map_options());
  }

  /// A lazy range of results in the order of the input; see Results. Default chunks of 1, as in
  /// Python. (Pool.imap)
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto imap(F&& f, Range&& range, MapOptions options) const {
    return lazy(detail::Order::of_input, options, std::forward<F>(f), std::forward<Range>(range));
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto imap(F&& f, Range&& range, Ranges&&... ranges) const {
    return lazy(detail::Order::of_input, map_options(), std::forward<F>(f),
                std::forward<Range>(range), std::forward<Ranges>(ranges)...);
  }
  template <class F, class T>
  [[nodiscard]] auto imap(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return imap(std::forward<F>(f), std::vector<T>(elements), options);
  }
  template <class F, class T>
  [[nodiscard]] auto imap(F&& f, std::initializer_list<T> elements) const {
    return imap(std::forward<F>(f), std::vector<T>(elements), map_options());
  }

  /// The same in order of completion. (Pool.imap_unordered)
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto imap_unordered(F&& f, Range&& range, MapOptions options) const {
    return lazy(detail::Order::of_completion, options, std::forward<F>(f),
                std::forward<Range>(range));
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto imap_unordered(F&& f, Range&& range, Ranges&&... ranges) const {
    return lazy(detail::Order::of_completion, map_options(), std::forward<F>(f),
                std::forward<Range>(range), std::forward<Ranges>(ranges)...);
  }
  template <class F, class T>
  [[nodiscard]] auto imap_unordered(F&& f, std::initializer_list<T> elements,
                                    MapOptions options) const {
    return imap_unordered(std::forward<F>(f), std::vector<T>(elements), options);
  }
  template <class F, class T>
  [[nodiscard]] auto imap_unordered(F&& f, std::initializer_list<T> elements) const {
    return imap_unordered(std::forward<F>(f), std::vector<T>(elements), map_options());
  }

 private:
  detail::Core& core() const { return static_cast<const Self*>(this)->submission_core(); }
  const std::shared_ptr<const TaskOptions>& task_options() const {
    return static_cast<const Self*>(this)->submission_task();
  }
  MapOptions map_options() const { return static_cast<const Self*>(this)->submission_map(); }

  /// A map that is waited for here: its input stays where it is.
  template <class F, class... Ranges>
  auto borrowing(const MapOptions& options, F& f, Ranges&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::MapNode, detail::Input::borrowed>(options, f,
                                                                                     ranges...);
  }
  template <class How, template <class> class AnyNode,
            detail::Input input = detail::Input::read, class F, class... Ranges>
  auto eager(const MapOptions& options, F& f, Ranges&... ranges) const {
    if constexpr (detail::check_finite<Ranges...>() && detail::check_map<How, F, Ranges...>()) {
      return detail::make_map<How, AnyNode, input>(core(), task_options(), options, f, ranges...);
    } else {
      using R = typename detail::MapCall<How, F, Ranges...>::result_type;
      return detail::FutureAccess::make({}, &AnyNode<R>::decoder);
    }
  }
  template <class F, class... Ranges>
  auto lazy(detail::Order order, const MapOptions& options, F&& f, Ranges&&... ranges) const {
    using How = detail::EachIsAnArgument;
    using R =
        typename detail::MapCall<How, F, std::remove_reference_t<Ranges>...>::result_type;
    if constexpr (detail::check_map<How, F, std::remove_reference_t<Ranges>...>()) {
      using FeedType = detail::RangeFeed<How, F, Ranges...>;
      const auto asked = detail::stream_options(order, options, task_options(), core().processes());
      return detail::ResultsAccess::make<R>(std::make_unique<detail::Stream>(
          core(), asked,
          std::make_unique<FeedType>(std::forward<F>(f), std::forward<Ranges>(ranges)...)));
    } else {
      return detail::ResultsAccess::make<R>(nullptr);
    }
  }
};

/// A pool seen through options: `pool.with({.retries = 2}).map(f, xs)`. Borrows the pool, which must
/// outlive it. `with` again replaces the options of that kind whole.
class [[nodiscard]] PoolWith : public Submissions<PoolWith> {
 public:
  /// Throws Misuse for an option out of range.
  PoolWith with(TaskOptions task) const {
    return PoolWith(*pool_, detail::share_options(std::move(task)), map_);
  }
  PoolWith with(MapOptions map) const { return PoolWith(*pool_, task_, std::move(map)); }

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
/// Move-only. Every member may be called from any thread; moving and destroying need care as with
/// any object. Every member of a moved-from pool throws Misuse.
class Pool : public Submissions<Pool> {
 public:
  /// usable_cpus() workers.
  Pool();
  /// So many workers. Less than 1 (or more than 4096): Misuse.
  template <detail::CountLike I>
  explicit Pool(I processes) : Pool(counted(processes)) {}
  /// Starts the workers and returns when all are up. Throws Misuse (an option out of range; `init`
  /// was not called in main, where the start method needs it) and PoolBroken (a worker could not be
  /// started: why); then nothing is left behind. A pool with static storage duration that is made
  /// before main starts its workers at `init`.
  explicit Pool(PoolOptions options);
  Pool(Pool&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Pool& operator=(Pool&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
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
  /// Cancelled. With `wait`, Misuse in one of the pool's own callbacks. (Executor.shutdown)
  void shutdown(ShutdownOptions options = {});

  /// The submission calls with these options. Throws Misuse for an option out of range.
  PoolWith with(TaskOptions task) const {
    return PoolWith(*this, detail::share_options(std::move(task)), {});
  }
  PoolWith with(MapOptions map) const { return PoolWith(*this, {}, std::move(map)); }

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
