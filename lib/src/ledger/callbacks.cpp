#include "ledger/callbacks.hpp"

#include <condition_variable>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace procpool::inline v0::ledger {

/// Outlives the owner while the thread still runs a callback that dropped the last handle.
struct Callbacks::Shared {
  std::mutex lock;
  std::condition_variable changed;
  Ready queue;
  std::function<void(std::exception_ptr)> on_error;
  std::thread thread;
  bool busy = false;
  bool closing = false;
};

namespace {

void report(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "procpool: a callback threw: %s\n", e.what());
  } catch (...) {
    std::fputs("procpool: a callback threw something that is no std::exception\n", stderr);
  }
}

void call(const std::function<void()>& callback,
          const std::function<void(std::exception_ptr)>& on_error) noexcept {
  try {
    callback();
  } catch (...) {
    if (!on_error) return report(std::current_exception());
    try {
      on_error(std::current_exception());
    } catch (...) {
      report(std::current_exception());
    }
  }
}

/// The one whose callback this thread runs by `run`; null: none.
thread_local const Callbacks* running = nullptr;

}  // namespace

Callbacks::Callbacks(std::function<void(std::exception_ptr)> on_error)
    : shared_(std::make_shared<Shared>()) {
  shared_->on_error = std::move(on_error);
}

Callbacks::~Callbacks() {
  std::thread thread;
  {
    const std::lock_guard lock(shared_->lock);
    shared_->closing = true;
    thread = std::move(shared_->thread);
    shared_->changed.notify_all();
  }
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
  } else {
    thread.join();
  }
}

void Callbacks::start() {
  const std::lock_guard lock(shared_->lock);
  if (shared_->thread.joinable()) return;
  shared_->thread = std::thread([shared = shared_] { loop(shared); });
}

void Callbacks::post(std::vector<std::function<void()>> callbacks) {
  post_ready({std::make_move_iterator(callbacks.begin()), std::make_move_iterator(callbacks.end())});
}

void Callbacks::post_ready(Ready callbacks) noexcept {
  const std::lock_guard lock(shared_->lock);
  shared_->queue.splice(shared_->queue.end(), callbacks);
  shared_->changed.notify_all();
}

void Callbacks::run(const std::function<void()>& callback) noexcept {
  const Callbacks* const outer = std::exchange(running, this);
  call(callback, shared_->on_error);
  running = outer;
}

bool Callbacks::in_one() const { return running == this || on_this_thread(); }

bool Callbacks::on_this_thread() const {
  const std::lock_guard lock(shared_->lock);
  return shared_->thread.get_id() == std::this_thread::get_id();
}

void Callbacks::finish() {
  std::unique_lock lock(shared_->lock);
  shared_->changed.wait(lock, [this] { return shared_->queue.empty() && !shared_->busy; });
}

void Callbacks::loop(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->lock);
  for (;;) {
    shared->changed.wait(lock, [&] { return !shared->queue.empty() || shared->closing; });
    if (shared->queue.empty()) return;
    std::function<void()> callback = std::move(shared->queue.front());
    shared->queue.pop_front();
    shared->busy = true;
    lock.unlock();
    call(callback, shared->on_error);
    callback = nullptr;  // what it held goes before anybody learns that it is over
    lock.lock();
    shared->busy = false;
    shared->changed.notify_all();
  }
}

}  // namespace procpool::inline v0::ledger
