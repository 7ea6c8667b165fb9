#pragma once

// What    co_await of a future: the awaiting coroutine is resumed by a callback of the task.
// Writers `phase_`: the awaiting thread, and the one that calls back; whoever comes second decides.
// Order   Until its exchange each side may use the awaiter; the callback that comes first never
//         touches it again, because the coroutine goes on without having been suspended.

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <procpool/detail/core.hpp>
#include <procpool/detail/executor.hpp>
#include <procpool/detail/typed.hpp>
#include <procpool/fwd.hpp>

namespace procpool::inline v0::detail {

/// `Got`: R to give the value away, const R& to keep it in the future.
template <class R, class Got>
class AwaitBase {
 public:
  explicit AwaitBase(Future<R> future) : future_(std::move(future)) {}
  AwaitBase(const AwaitBase&) = delete;
  AwaitBase& operator=(const AwaitBase&) = delete;

 protected:
  /// The coroutine, and with it this object, may be gone before this returns.
  template <class Callback>
  void when_done(Callback callback) {
    const auto kept = LibraryRef<Node>::share(&FutureAccess::node(future_));
    kept->core->on_done(*kept, std::move(callback));
  }
  Got result() {
    if constexpr (std::is_reference_v<Got> || std::is_void_v<Got>) {
      return std::as_const(future_).get();
    } else {
      return std::move(future_).get();
    }
  }
  bool done() const { return future_.ready(); }

 private:
  Future<R> future_;
};

template <class R, class Got>
class Await : AwaitBase<R, Got> {
 public:
  using AwaitBase<R, Got>::AwaitBase;

  bool await_ready() const { return this->done(); }
  /// False: it was done before this thread had suspended.
  template <class Handle>
  bool await_suspend(Handle coroutine) {
    this->when_done([this, coroutine]() mutable {
      if (phase_.exchange(called_back) == suspended) coroutine.resume();
    });
    return phase_.exchange(suspended) != called_back;
  }
  Got await_resume() { return this->result(); }

 private:
  enum : std::uint32_t { deciding, suspended, called_back };

  std::atomic<std::uint32_t> phase_ = deciding;
};

template <class R, class Got, class Executor>
class AwaitOn : AwaitBase<R, Got> {
 public:
  AwaitOn(Future<R> future, std::remove_reference_t<Executor>& executor)
      : AwaitBase<R, Got>(std::move(future)), run_(executor) {}

  bool await_ready() const noexcept { return false; }
  template <class Handle>
  void await_suspend(Handle coroutine) {
    this->when_done([this, run = run_, coroutine]() mutable {
      const auto resumed = std::make_shared<std::atomic<bool>>(false);
      try {
        run([resumed, coroutine]() mutable {
          if (!resumed->exchange(true)) coroutine.resume();
        });
      } catch (...) {
        if (resumed->exchange(true)) throw;  // it ran, and what it threw is its own
        refused_ = std::current_exception();
        coroutine.resume();
      }
    });
  }
  Got await_resume() {
    if (refused_) std::rethrow_exception(refused_);
    return this->result();
  }

 private:
  ExecutorHandle<Executor> run_;
  std::exception_ptr refused_;
};

}  // namespace procpool::inline v0::detail
