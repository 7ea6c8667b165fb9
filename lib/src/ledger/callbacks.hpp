#pragma once

// The one thread on which a pool's callbacks run, one after another. It starts with the first one.
// Separate from the background driver: a slow callback must not keep the pool from healing.

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace procpool::inline v0::ledger {

class Callbacks {
 public:
  explicit Callbacks(std::function<void(std::exception_ptr)> on_error);
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
  /// Everything posted has run; not on the callback thread, which is left to end by itself there.
  ~Callbacks();

  /// Before the first `post`. Throws std::system_error when the thread cannot be started.
  void start();
  /// Never waits for a callback.
  void post(std::vector<std::function<void()>> callbacks);
  /// The same without memory: of what must be called once something else has been done.
  using Ready = std::list<std::function<void()>>;
  void post_ready(Ready callbacks) noexcept;
  /// Runs one here and now, errors reported as ever.
  void run(const std::function<void()>& callback) noexcept;
  bool on_this_thread() const;
  /// Whether a callback runs on this thread, there or by `run`.
  bool in_one() const;
  /// Waits until everything posted has run. Not on the callback thread.
  void finish();

 private:
  struct Shared;
  static void loop(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace procpool::inline v0::ledger
