// What    The keeper of one node that ends with others, its parts, which may be of several pools.
// Writers The node: whoever sees the last part end, or cancels, under the lock here. `left_`: whoever
//         sees a part end.
// Order   The ends of all parts are before the node's, unless it is cancelled.
// Death   A pool that goes ends its tasks, and so this. The parts keep the node until then; it keeps
//         this, and this the parts.

#include <procpool/detail/gathering.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

#include "base/continuations.hpp"

namespace procpool::inline v0::detail {

namespace {

class Gathering final : public Keeper {
 public:
  Gathering(Node& whole, std::vector<LibraryRef<Node>> parts)
      : whole_(&whole), parts_(std::move(parts)), left_(parts_.size() + 1) {
    const auto pending =
        std::ranges::find_if(parts_, [](const auto& part) { return !part->done(); });
    if (!parts_.empty()) home_ = pending == parts_.end() ? parts_[0].get() : pending->get();
  }

  void watch() {
    for (const auto& part : parts_) {
      part->core->then(*part, [this, whole = LibraryRef<Node>::share(whole_)] { count_down(); });
    }
    count_down();
  }

  bool wait(Node& whole, Time until) override {
    for (const auto& part : parts_) {
      if (whole.done()) return true;
      if (!part->done() && !part->core->wait(*part, until)) return whole.done();
    }
    std::unique_lock lock(lock_);  // who saw the last end is on the way here
    const auto done = [&whole] { return whole.done(); };
    if (until != forever) return changed_.wait_until(lock, until, done);
    changed_.wait(lock, done);
    return true;
  }
  Node* wait_any(CompletionQueue& queue, Time until) override {
    if (!wait(*whole_, until)) return nullptr;
    const std::lock_guard lock(lock_);
    return queue.take();
  }
  void enlist(Node& whole, std::shared_ptr<CompletionQueue> queue) override {
    const std::lock_guard lock(lock_);
    if (whole.done()) {
      queue->ready.push_back(&whole);
    } else {
      whole.more().queues.push_back(std::move(queue));
    }
  }

  bool cancel(Node& whole) override {
    const auto kept = LibraryRef<Node>::share(&whole);
    std::unique_lock lock(lock_);
    if (whole.done()) return false;
    whole.more().error =
        std::make_exception_ptr(Cancelled("the gathered tasks were cancelled together"));
    whole.outcome = Outcome::error;
    whole.cancelled = true;
    end(lock);
    for (const auto& part : parts_) {
      if (!part->done()) part->core->cancel(*part);
    }
    return true;
  }
  bool running(const Node&) override {
    return std::ranges::any_of(
        parts_, [](const auto& part) { return !part->done() && part->core->running(*part); });
  }

  void on_done(Node& whole, std::function<void()> callback) override {
    if (!whole.done()) call_back_soon([] {});  // starts the thread here, where it may fail
    std::unique_lock lock(lock_);
    if (!whole.done()) return whole.more().callbacks.push_back(std::move(callback));
    lock.unlock();
    // A part that is done calls back here, and knows where errors go.
    home_ == nullptr ? callback() : home_->core->on_done(*home_, std::move(callback));
  }
  void then(Node& whole, std::function<void()> continuation) override {
    std::unique_lock lock(lock_);
    if (!whole.done()) return whole.more().continuations.push_back(std::move(continuation));
    lock.unlock();
    run_continuations({std::move(continuation)});
  }
  void on_progress(Node&, std::function<void(const TaskUpdate&)> callback) override {
    for (const auto& part : parts_) {
      if (!part->done()) part->core->on_progress(*part, callback);
    }
  }
  void call_back_soon(std::function<void()> callback) override {
    home_ == nullptr ? callback() : home_->core->call_back_soon(std::move(callback));
  }

 private:
  void count_down() {
    if (--left_ != 0) return;
    std::unique_lock lock(lock_);
    if (whole_->done()) return;
    whole_->outcome = Outcome::value;
    end(lock);
  }

  /// Its outcome is what it is: everybody learns of it. Lets the lock go.
  void end(std::unique_lock<std::mutex>& lock) {
    std::vector<std::function<void()>> callbacks, continuations;
    std::vector<std::shared_ptr<CompletionQueue>> queues;
    if (Extras* const extras = whole_->extras.get()) {
      callbacks = std::exchange(extras->callbacks, {});
      continuations = std::exchange(extras->continuations, {});
      queues = std::exchange(extras->queues, {});
    }
    for (const auto& queue : queues) queue->ready.push_back(whole_);
    whole_->mark_done();
    changed_.notify_all();
    lock.unlock();
    for (auto& each : callbacks) call_back_soon(std::move(each));
    run_continuations(std::move(continuations));
  }

  Node* whole_;  // outlives this
  std::vector<LibraryRef<Node>> parts_;
  Node* home_ = nullptr;  // the part whose pool calls back; null: there are no parts
  std::atomic<std::size_t> left_;  // and one until all parts are watched
  std::mutex lock_;
  std::condition_variable changed_;
};

}  // namespace

void end_with(Node& whole, std::vector<LibraryRef<Node>> parts) {
  auto* const keeper = new Gathering(whole, std::move(parts));
  whole.core = keeper;
  whole.id = next_id();
  keeper->watch();
}

}  // namespace procpool::inline v0::detail
