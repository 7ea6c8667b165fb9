#pragma once

// What every core answers in the same way, whatever runs its tasks: who listens to a task's end and to
// what it says. Under the core's lock.

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <procpool/detail/core.hpp>
#include <procpool/this_task.hpp>

#include "ledger/callbacks.hpp"

namespace procpool::inline v0::ledger {

class AskedCore : public detail::Core {
 public:
  void enlist(detail::Node& node, std::shared_ptr<detail::CompletionQueue> queue) final;
  void on_done(detail::Node& node, std::function<void()> callback) final;
  void then(detail::Node& node, std::function<void()> continuation) final;
  void on_progress(detail::Node& node, std::function<void(const TaskUpdate&)> callback) final;
  void call_back_soon(std::function<void()> callback) final;

 protected:
  using Lock = std::unique_lock<std::mutex>;

  explicit AskedCore(std::function<void(std::exception_ptr)> on_callback_error)
      : callbacks_(std::move(on_callback_error)) {}

  /// The core's lock.
  virtual Lock hold_core() = 0;
  /// Lets the lock go, and then what was put aside.
  virtual void let_go(Lock& lock) = 0;
  /// Throws Misuse in a forked copy of the process.
  virtual void check_mine() const = 0;

  /// It is this core's now.
  void accept_node(detail::Node& node);
  /// A running task of this node has said something.
  void said(detail::Node& node, TaskUpdate update);
  /// Through whom a line about it goes, for later; under the lock. Not of one that is done.
  static std::shared_ptr<detail::TaskUpdates> updates_of(detail::Node& node);
  /// A line about a task, which may have ended meanwhile, to those who listen, or else to stderr. Needs
  /// no lock.
  void report(const std::shared_ptr<detail::TaskUpdates>& updates, TaskUpdate line);

  Callbacks callbacks_;

 private:
  void tell(const std::shared_ptr<detail::TaskUpdates>& updates, TaskUpdate update);
};

}  // namespace procpool::inline v0::ledger
