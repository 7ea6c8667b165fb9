#pragma once

// The one type-erased door between the typed front (pool.hpp, future.hpp) and what runs calls: bytes
// in, an outcome out. The process backend is the supervisor; others implement the same.

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>
#include <procpool/detail/time.hpp>

namespace procpool::inline v0 {

struct PoolOptions;

namespace detail {

class Core {
 public:
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }

  /// Takes one reference to the node, released when it is settled. Throws PoolClosed,
  /// PoolTerminated, PoolBroken, Misuse; then nothing was taken.
  virtual void submit(Node& node) = 0;
  virtual void submit_batch(Batch& batch) = 0;

  /// Drives or sleeps until the node is done; false: the deadline came first.
  virtual bool wait(Node& node, Time until) = 0;
  /// The same, until the queue has a finished node, which is taken out of it; null: the deadline
  /// came first.
  virtual Node* wait_any(CompletionQueue& queue, Time until) = 0;
  /// Nobody wants the batch any more: elements that have not started will not.
  virtual void discard(Batch& batch) noexcept = 0;
  /// Calls back once the node is done: on the callback thread, or here if it is done already.
  virtual void on_done(Node& node, std::function<void()> callback) = 0;

  virtual void close() noexcept = 0;
  virtual void terminate() = 0;
  virtual bool join(Time until) = 0;
  /// The pool object is gone: close, and if this is not a thread of the core's own, join.
  virtual void abandon_pool(bool unwinding) noexcept = 0;

  virtual int processes() const = 0;
  virtual std::vector<pid_t> pids() const = 0;

 protected:
  Core() = default;
  virtual ~Core() = default;

 private:
  std::atomic<std::uint32_t> references_ = 1;
};

/// Makes the core for these options. Throws what Pool's constructor throws.
Core* make_core(const PoolOptions& options);

/// The error in a worker's record, as an exception of its own type: a fresh object at each call.
std::exception_ptr rebuild_error(std::span<const std::byte> record);
/// The error of a finished node that has one; null for a value.
std::exception_ptr outcome_error(const Node& node);
/// The remote traceback of `error`, which is the finished node's; empty when there is none.
std::string traceback(const Node& node, const std::exception_ptr& error);

[[noreturn]] void throw_misuse(const char* what);

}  // namespace detail
}  // namespace procpool::inline v0
