// What    Waiting for the next of several nodes to end, for one thread.
// Writers Of one core: that core. Else whoever sees an end, under the lock here.
// Order   An end is in the queue before the waiting thread is told. Told it is by the lock that it sleeps
//         with: the one here, or, in a task of a pool of threads, that pool's, under which it may run what
//         waits there.
// Death   A consumer that goes first leaves its queue behind, for the nodes to fill: they share it. What
//         is in a queue is looked at only while the consumer holds the node.

#include <procpool/detail/completions.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "local/core.hpp"

namespace procpool::inline v0::detail {

struct Completions::Mixed {
  Mixed() : own_(local::Share::here()) {
    if (own_ != nullptr) own_->retain();
  }
  Mixed(const Mixed&) = delete;
  Mixed& operator=(const Mixed&) = delete;
  ~Mixed() {
    if (own_ != nullptr) own_->release();
  }

  void add(Node* node) {
    {
      const std::lock_guard hold(lock_);
      ended_.push_back(node);
      changed_.notify_one();
    }
    if (own_ != nullptr) own_->wake_helpers();
  }

  Node* next(Time until) {
    if (until == forever && own_ != nullptr && own_ == local::Share::here()) {
      own_->help_until([](const void* self) { return static_cast<const Mixed*>(self)->has_some(); },
                       this);
    }
    std::unique_lock hold(lock_);
    const auto some = [this] { return !ended_.empty(); };
    if (until == forever) {
      changed_.wait(hold, some);
    } else if (!changed_.wait_until(hold, until, some)) {
      return nullptr;
    }
    Node* const node = ended_.front();
    ended_.pop_front();
    return node;
  }

 private:
  bool has_some() const {
    const std::lock_guard hold(lock_);
    return !ended_.empty();
  }

  local::LocalCore* const own_;  // whose task the consumer is; null: of none here
  mutable std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Node*> ended_;
};

Completions::Completions(const std::vector<Node*>& nodes) {
  if (nodes.empty()) return;
  core_ = nodes.front()->core;
  if (std::ranges::all_of(nodes, [this](const Node* node) { return node->core == core_; })) {
    queue_ = std::make_shared<CompletionQueue>();
    for (Node* const node : nodes) core_->enlist(*node, queue_);
    return;
  }
  core_ = nullptr;
  mixed_ = std::make_shared<Mixed>();
  for (Node* const node : nodes) {
    node->core->then(*node, [mixed = mixed_, node] { mixed->add(node); });
  }
}

Node* Completions::next(Time until) {
  return core_ != nullptr ? core_->wait_any(*queue_, until) : mixed_->next(until);
}

}  // namespace procpool::inline v0::detail
