#pragma once

// The one type-erased door between the typed front (pool.hpp, future.hpp) and what runs calls: bytes
// in, an outcome out. The process backend is the supervisor; others implement the same.

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/fwd.hpp>
#include <procpool/stats.hpp>

namespace procpool::inline v0 {

namespace detail {

/// Whoever will end a node: what its futures ask. Of a pool's tasks that is the pool's core.
class Keeper {
 public:
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }

  /// Drives or sleeps until the node is done; false: the deadline came first.
  virtual bool wait(Node& node, Time until) = 0;
  /// The same, until the queue has a finished node, which is taken out of it; null: the deadline
  /// came first. Every node of a queue is of this core.
  virtual Node* wait_any(CompletionQueue& queue, Time until) = 0;
  /// The node goes into the queue when it is done, now if it is; the caller holds it until then.
  virtual void enlist(Node& node, std::shared_ptr<CompletionQueue> queue) = 0;
  /// Ends the node with Cancelled now; what runs of it is stopped in the background. False: it was
  /// done.
  virtual bool cancel(Node& node) = 0;
  /// Whether a worker executes it now.
  virtual bool running(const Node& node) = 0;
  /// Calls back once the node is done: on the callback thread, or here if it is done already.
  virtual void on_done(Node& node, std::function<void()> callback) = 0;
  /// The same for code of the library's own that neither waits nor throws: on the thread that sees
  /// the end, without a lock.
  virtual void then(Node& node, std::function<void()> continuation) = 0;
  /// Calls back with what the task says from now on, on the callback thread.
  virtual void on_progress(Node& node, std::function<void(const TaskUpdate&)> callback) = 0;
  /// Runs this on the callback thread.
  virtual void call_back_soon(std::function<void()> callback) = 0;

 protected:
  Keeper() = default;
  virtual ~Keeper() = default;

 private:
  std::atomic<std::uint32_t> references_ = 1;
};

/// What `submit` does while too many bytes are pending.
enum class Admission { wait, decline };

/// Memory that is a core's, for one call's bytes. Empty: the core has none to give.
struct CallRoom {
  std::span<std::byte> bytes;
  std::shared_ptr<const void> keeper;
};

class Core : public Keeper {
 public:
  /// From where a large call is sent, so that it is encoded there. `growing`: how large it will be is
  /// not known yet. Never throws: what has no room goes to the heap first.
  virtual CallRoom room_for_call(std::size_t, bool /*growing*/) noexcept { return {}; }

  /// Takes one reference to the node, released when it is settled. While too many bytes are pending
  /// it waits, or declines (false: nothing was taken). Throws PoolClosed, PoolTerminated, PoolBroken,
  /// Misuse; then nothing was taken.
  virtual bool submit(Node& node, Admission admission) = 0;
  virtual void submit_batch(Batch& batch) = 0;
  /// As `submit` for a call whose bytes are not complete; `bytes`: how many it has. It counts as
  /// submitted, not towards what is pending, and is not run before `release_held`, which says that its
  /// bytes are complete, or else why they never will be. Until then its payload is the caller's, also
  /// if the node is cancelled or its pool terminated meanwhile; for a node that has ended so
  /// `release_held` does nothing.
  virtual bool hold(Node& node, std::size_t bytes, Admission admission) = 0;
  virtual void release_held(Node& node, std::exception_ptr failed) = 0;

  /// Nobody wants the batch any more: elements that have not started will not.
  virtual void discard(Batch& batch) noexcept = 0;

  virtual void close() noexcept = 0;
  /// What has not started ends with Cancelled.
  virtual void cancel_waiting() = 0;
  virtual void terminate() = 0;
  virtual bool join(Time until) = 0;
  /// The pool object is gone: close, and if this is not a thread of the core's own, join.
  virtual void abandon_pool(bool unwinding) noexcept = 0;

  virtual void resize(int processes) = 0;  // which were checked
  virtual int processes() const = 0;
  virtual std::vector<pid_t> pids() const = 0;
  virtual PoolStats stats() const = 0;
};

/// Unique in this process.
std::uint64_t next_id() noexcept;

/// Makes the core for these options. Throws what Pool's constructor throws.
Core* make_core(const PoolOptions& options);

/// Throws Misuse for a number of processes, or threads, that no pool can have.
void check_processes(int processes);

/// The error in a worker's record, as an exception of its own type: a fresh object at each call.
std::exception_ptr rebuild_error(std::span<const std::byte> record);
/// The error of a finished node that has one; null for a value.
std::exception_ptr outcome_error(const Node& node);
/// The remote traceback of `error`, which is the finished node's; empty when there is none.
std::string traceback(const Node& node, const std::exception_ptr& error);

/// Validates, and shares. Throws Misuse; null for options that are all defaults.
std::shared_ptr<const TaskOptions> share_options(TaskOptions options);
/// Gives the node its options, before it is submitted.
void set_options(Node& node, const std::shared_ptr<const TaskOptions>& options);
/// From now on a stop request of the node's options cancels it. After it was submitted.
void watch_stop(Node& node);

[[noreturn]] void throw_misuse(const char* what);

}  // namespace detail
}  // namespace procpool::inline v0
