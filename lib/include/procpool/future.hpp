#pragma once

/// \file
/// The handle on an outcome. Python: multiprocessing.pool.AsyncResult, concurrent.futures.Future (3.13).

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <procpool/detail/await.hpp>
#include <procpool/detail/copyable.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/detail/executor.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/detail/typed.hpp>
#include <procpool/fwd.hpp>

namespace procpool::inline v0 {

namespace detail {

[[noreturn]] void throw_wait_timed_out();
[[noreturn]] void throw_empty_future();
[[noreturn]] void throw_not_ready();
[[noreturn]] void throw_shared_move_only();

}  // namespace detail

/// A handle on one task's outcome, which is exactly one of: a value, the task's own exception (of its
/// own type, with a nested RemoteTraceback), WorkerCrashed, TaskTimeout, Cancelled, PoolTerminated,
/// PoolBroken, UnknownTask, EncodingError or DecodingError.
///
/// Any wait, also one inside a callback, is for something that other processes do: callbacks, coroutines
/// and executors may call `get`, `wait` and the pool's calls. (They hold up the callbacks behind them.)
/// What could wait for itself is refused: `join` in a callback, and sending a Future to a worker, which
/// gets its value instead when the future is an argument of `submit` (task.hpp).
///
/// Copyable; all copies speak of the same task. Dropping futures neither waits nor cancels; a future
/// outlives its pool. Every member may be called from any thread. Every member of an empty or
/// moved-from future except `valid`, destruction and assignment throws Misuse.
template <class R>
class Future {
 public:
  /// The result's type at home; void for a task that returns nothing.
  using value_type = R;

  /// Empty: of no task.
  Future() noexcept = default;

  /// Whether this handle speaks of a task.
  bool valid() const noexcept { return static_cast<bool>(node_); }

  /// Waits, then returns the value or throws the task's error; as often as wanted. While it waits it
  /// drives the pool. The reference is valid while any handle on this task lives. (void: nothing.)
  /// The first look decodes the value, on this thread. Python: AsyncResult.get, Future.result.
  std::add_lvalue_reference_t<const R> get() const& {
    wait();
    return value();
  }
  /// The same, giving the value away: moved out if this is the last handle, else copied. A move-only
  /// value that other handles share: Misuse.
  R get() && {
    wait();
    return std::move(*this).take();
  }
  ///@{

  /// As `get`, waiting at most `d` (zero or negative: looks once). TimeoutError when the wait, not the
  /// task, ended: the task goes on.
  template <class Rep, class Period>
  std::add_lvalue_reference_t<const R> get_for(std::chrono::duration<Rep, Period> d) const& {
    if (!wait_for(d)) detail::throw_wait_timed_out();
    return value();
  }
  template <class Rep, class Period>
  R get_for(std::chrono::duration<Rep, Period> d) && {
    if (!wait_for(d)) detail::throw_wait_timed_out();
    return std::move(*this).take();
  }
  ///@}

  /// Until the task is done. Throws no error of the task.
  void wait() const {
    detail::Node& node = checked();
    if (!node.done()) node.core->wait(node, detail::forever);
  }
  /// Until the task is done, at most `d` (zero or negative: looks once). False: `d` passed first; the
  /// task goes on.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> d) const {
    detail::Node& node = checked();
    return node.done() || node.core->wait(node, detail::time_after(d));
  }

  /// Whether the task is done: never waits. Python: AsyncResult.ready, Future.done.
  [[nodiscard]] bool ready() const { return checked().done(); }
  /// Whether it ended with a value. Not ready: Misuse (Python 3.7+: ValueError).
  [[nodiscard]] bool successful() const {
    if (!checked().done()) detail::throw_not_ready();
    return look().has_value();
  }
  /// Waits, then the task's error, null for a value.
  [[nodiscard]] std::exception_ptr exception() const {
    wait();
    return look().failure();
  }
  /// Waits, then the remote traceback of the task's error: also for types that cannot carry it
  /// nested. Empty for a value and for errors that have none.
  std::string remote_traceback() const {
    return detail::traceback(checked(), exception());
  }

  /// Whether a worker executes the task now (in a map: an element of it). Python's executors say
  /// true for a task that merely waits in a worker's queue.
  [[nodiscard]] bool running() const {
    detail::Node& node = checked();
    return !node.done() && node.core != nullptr && node.core->running(node);
  }
  /// Never blocks. True: the task is done with Cancelled, for good, and `get` throws that at once.
  /// What waits never runs; what runs is stopped in the background (stop token, SIGTERM, SIGKILL:
  /// CancelOptions), its place is taken until then. False: it was done already.
  bool cancel() const {
    detail::Node& node = checked();
    return !node.done() && node.core->cancel(node);
  }
  /// Whether it is done because it was cancelled. Never waits.
  [[nodiscard]] bool cancelled() const { return checked().was_cancelled(); }

  /// Calls `callback(const TaskUpdate&)` with what the task says by this_task::progress and log from
  /// now on, while it runs, on the pool's callback thread. A task that has said something already
  /// repeats its last word at once.
  template <class F>
    requires std::invocable<F&, const TaskUpdate&>
  void on_progress(F callback) const {
    detail::Node& node = checked();
    node.core->on_progress(node, std::move(callback));
  }

  /// Calls `callback(Future<R>&)` once the task is done: on the pool's one callback thread, one after
  /// another in order of completion, never inside another thread's `get`; on a future that is done
  /// already, here and now. What it throws goes to PoolOptions::on_callback_error and changes no
  /// outcome. It may submit, wait and terminate; `join` in it is Misuse.
  template <class F>
    requires std::invocable<F&, Future<R>&>
  void on_done(F callback) const {
    detail::Node& node = checked();
    node.core->on_done(node, [self = *this, callback = std::move(callback)]() mutable {
      callback(self);
    });
  }

  /// The same through an executor, which runs the callback: `executor.execute(fn)`, or `post(executor,
  /// fn)` found by argument-dependent lookup, as for Boost.Asio's. It is called on the callback thread,
  /// or here if the task is done. An executor that can be copied is; else it must live until then.
  template <class Executor, class F>
    requires detail::RunsFunctions<Executor> && std::invocable<F&, Future<R>&>
  void on_done(Executor&& executor, F callback) const {
    on_done([run = detail::ExecutorHandle<Executor>(executor), callback = std::move(callback)](
                Future& done) {
      run([done, callback] { done.on_done(callback); });  // errors go where those of callbacks go
    });
  }

  ///@{

  /// `co_await future`, in any coroutine whose promise does not restrict co_await: what `get` returns
  /// or throws. The coroutine goes on on the pool's callback thread; where the task is done already it
  /// is not suspended. It must not be destroyed while it is suspended here. `co_await
  /// std::move(future)`, and of a future just made, gives the value away. (Boost.Asio's awaitable:
  /// asio.hpp.)
  auto operator co_await() const& {
    return detail::Await<R, std::add_lvalue_reference_t<const R>>(checked_copy());
  }
  auto operator co_await() && {
    static_cast<void>(checked());
    return detail::Await<R, R>(std::move(*this));
  }
  ///@}
  ///@{

  /// `co_await future.on(executor)`: the same, and the coroutine goes on where the executor runs it,
  /// also if the task is done already. What the executor throws instead is thrown there, on the
  /// callback thread.
  template <detail::RunsFunctions Executor>
  auto on(Executor&& executor) const& {
    return detail::AwaitOn<R, std::add_lvalue_reference_t<const R>, Executor>(checked_copy(),
                                                                              executor);
  }
  template <detail::RunsFunctions Executor>
  auto on(Executor&& executor) && {
    static_cast<void>(checked());
    return detail::AwaitOn<R, R, Executor>(std::move(*this), executor);
  }
  ///@}

  /// The task's number, unique in this process.
  [[nodiscard]] std::uint64_t id() const { return checked().id; }

  /// Whether both speak of the same task (or both of none). std::hash of a future goes by the task too.
  friend bool operator==(const Future& a, const Future& b) noexcept {
    return a.node_.get() == b.node_.get();
  }

 private:
  friend detail::FutureAccess;
  friend std::hash<Future>;

  Future(detail::Ref<detail::Node> node, const detail::Decoder<R>* decoder) noexcept
      : node_(std::move(node)), decoder_(decoder) {}

  detail::Node& checked() const {
    if (!node_) detail::throw_empty_future();
    return *node_;
  }
  Future checked_copy() const {
    static_cast<void>(checked());
    return *this;
  }
  detail::Cell<detail::Stored<R>>& look() const { return decoder_->look(*node_); }
  std::add_lvalue_reference_t<const R> value() const {
    if constexpr (std::is_void_v<R>) {
      look().get();
    } else {
      return look().get();
    }
  }
  R give() const {
    if constexpr (std::is_void_v<R>) {
      look().get();
    } else {
      R& value = look().get();
      if (node_->sole_handle()) return std::move(value);
      if constexpr (detail::copyable<R>) {
        return std::as_const(value);
      } else {
        detail::throw_shared_move_only();
      }
    }
  }
  /// Keeps the handle when it throws.
  R take() && {
    if constexpr (std::is_void_v<R>) {
      give();
      node_ = {};
    } else {
      R value = give();
      node_ = {};
      return value;
    }
  }

  detail::Ref<detail::Node> node_;
  const detail::Decoder<R>* decoder_ = nullptr;
};

}  // namespace procpool::inline v0

template <class R>
struct std::hash<procpool::Future<R>> {
  std::size_t operator()(const procpool::Future<R>& future) const noexcept {
    return std::hash<const void*>()(future.node_.get());
  }
};
