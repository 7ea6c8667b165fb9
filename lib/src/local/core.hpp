#pragma once

// What    What runs tasks in this process: the ledger, and waiting for it. Who runs them is said by
//         threads.hpp and sequential.hpp.
// Writers Everything: under `mutex_`. It is never held while a task, a callback or a continuation
//         runs, nor while a stop is requested.
// Death   A forked copy of this object is never used.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/hook.hpp>

#include "base/deadline.hpp"
#include "ledger/asked_core.hpp"
#include "ledger/ledger.hpp"
#include "local/share.hpp"
#include "wire/hooks.hpp"

namespace procpool::inline v0::local {

struct Settings {
  int processes = 1;
  std::size_t max_pending_bytes = 0;
  std::function<void(std::exception_ptr)> on_callback_error = {};
  Hook modules = {};      // once, before the others
  Hook preload = {};      // once
  Hook initializer = {};  // in each place
};

class LocalCore : public ledger::AskedCore, private ledger::Wakes {
 public:
  bool submit(detail::Node& node, detail::Admission admission) final;
  void submit_batch(detail::Batch& batch) final;
  bool hold(detail::Node& node, std::size_t bytes, detail::Admission admission) final;
  void release_held(detail::Node& node, std::exception_ptr failed) final;
  bool wait(detail::Node& node, detail::Time until) final;
  detail::Node* wait_any(detail::CompletionQueue& queue, detail::Time until) final;
  void discard(detail::Batch& batch) noexcept final;
  bool cancel(detail::Node& node) final;
  bool running(const detail::Node& node) final;
  void close() noexcept final;
  void cancel_waiting() final;
  void terminate() final;
  bool join(detail::Time until) final;
  void abandon_pool(bool unwinding) noexcept final;
  void resize(int processes) final;
  int processes() const final { return wanted_; }
  std::vector<pid_t> pids() const final;
  PoolStats stats() const final;

  /// Makes the places, if they have not been made. Throws PoolBroken.
  void start();

  /// In a task of this pool: runs what waits there until `satisfied`, of which `wake_helpers` tells.
  void help_until(bool (*satisfied)(const void*), const void* subject);
  void wake_helpers();

 protected:
  explicit LocalCore(Settings settings);
  ~LocalCore() override;

  /// Makes the places, once. Throws what the initializer throws.
  virtual void start_places() = 0;
  virtual void resize_places(Lock& lock, int count) = 0;
  /// Under the lock: there is work for so many.
  virtual void call_places(std::size_t work) = 0;
  /// The same, also for those who wait in tasks.
  void offer(std::size_t work);
  /// The node's work waits now. By the thread that submitted it; or by one that must not run it.
  virtual void supply(Lock& lock, detail::Node& node) = 0;
  virtual void supply_later(Lock& lock, detail::Node& node) = 0;
  /// Whether a thread that waits for a call may run it, if it still waits. A task may in any case.
  virtual bool anybody_runs() const { return false; }
  /// Under the lock: nothing is left to do and nothing more will come.
  virtual void end_places() = 0;
  /// Without the lock, after that.
  virtual void join_places() = 0;
  virtual std::size_t places() const = 0;

  /// Any work that waits or can be split off; it does not wait any more. Null: there is none.
  detail::Assignment* take_any();
  /// The same of this node.
  detail::Assignment* take_of(const detail::Node& node);
  /// Runs it, without the lock meanwhile.
  void run(Lock& lock, detail::Assignment& work);
  /// Whether a task of this pool runs on this thread.
  bool in_own_task() const { return Share::is_inside(*this); }
  void run_initializer() const;
  void break_pool(std::exception_ptr cause);
  void let_go(Lock& lock) final;

  mutable std::mutex mutex_;
  ledger::Ledger ledger_{*this};
  std::atomic<int> wanted_;  // places
  int active_ = 0;           // of them, at work
  bool over_ = false;

 private:
  friend Share;
  enum class State { open, closed, terminated };
  struct Sleeper;

  Lock hold_core() final { return Lock(mutex_); }
  void check_mine() const final;
  // Wakes (ledger/ledger.hpp).
  void wake(detail::Waiter& waiter) final;
  void call_back(std::vector<std::function<void()>> callbacks) final;

  // core.cpp
  void begin();
  void prepare(const detail::Node& node);
  void check_open() const;
  bool has_room_for(std::size_t bytes) const;
  bool admit(Lock& lock, std::size_t bytes, detail::Admission admission);
  void entered(Lock& lock, detail::Node& node);
  bool wait_until(Lock& lock, detail::Waiters& among, bool (*satisfied)(const void*),
                  const void* subject, Deadline until, const detail::Node* wanted);
  bool help(Lock& lock, const detail::Node* wanted);
  detail::Assignment* cut(detail::Assignment& waiting);
  detail::Assignment* split_off(const detail::Node* of);

  // core_end.cpp
  void make_way(int priority);
  void wait_again(detail::Assignment& work);
  void discard_started(detail::Batch& batch);
  void discard_failed();
  void drop_rest(Share& share);
  void withdraw(detail::Node& node);
  void stop_running(const detail::Node& node);
  void end_everything();
  std::exception_ptr end_error() const;
  void check_over();
  void start_watch();
  void watch();

  Settings settings_;
  unsigned generation_;
  State state_ = State::open;
  std::once_flag started_;
  std::exception_ptr broken_;  // what a hook threw
  wire::HookKind first_ = wire::HookKind::modules;  // which
  bool unwanted_ = false;      // what has not started is not wanted any more: shutdown
  std::vector<Share*> running_;
  std::vector<std::stop_source> stops_;  // to be told once the lock is let go
  std::vector<detail::Waiter*> helpers_;  // that sleep, and may be able to run what comes
  std::vector<const void*> submitters_;  // that wait for room, the first to come first
  detail::Waiters pool_waiters_;         // of join

  std::thread watch_;  // of timeouts; the first one starts it
  std::condition_variable watch_changed_;
};

}  // namespace procpool::inline v0::local
