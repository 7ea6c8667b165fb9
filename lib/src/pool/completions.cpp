// What    Waiting for the next of several nodes to end, for one thread.
// Writers Of one core: that core. Else whoever sees an end, under the lock here.
// Death   A consumer that goes first leaves its queue behind, for the nodes to fill: they share it. What
//         is in a queue is looked at only while the consumer holds the node.

#include <procpool/detail/completions.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "local/share.hpp"

namespace procpool::inline v0::detail {

struct Completions::Mixed {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<Node*> ended;

  void add(Node* node) {
    const std::lock_guard hold(lock);
    ended.push_back(node);
    changed.notify_one();
  }
  bool has_some() {
    const std::lock_guard hold(lock);
    return !ended.empty();
  }
  Node* next(Time until) {
    std::unique_lock hold(lock);
    const auto some = [this] { return !ended.empty(); };
    if (until == forever) {
      changed.wait(hold, some);
    } else if (!changed.wait_until(hold, until, some)) {
      return nullptr;
    }
    Node* const node = ended.front();
    ended.pop_front();
    return node;
  }
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
  nodes_ = nodes;
  mixed_ = std::make_shared<Mixed>();
  for (Node* const node : nodes) {
    node->core->then(*node, [mixed = mixed_, node] { mixed->add(node); });
  }
}

Node* Completions::next(Time until) {
  if (core_ != nullptr) return core_->wait_any(*queue_, until);
  if (until == forever && local::Share::is_inside_any()) wait_in_order();
  return mixed_->next(until);
}

/// Returns when one of them has ended that was not told before, or will be in a moment.
void Completions::wait_in_order() {
  if (mixed_->has_some()) return;
  while (first_ != nodes_.size() && nodes_[first_]->done()) ++first_;
  if (first_ != nodes_.size()) nodes_[first_]->core->wait(*nodes_[first_], forever);
}

}  // namespace procpool::inline v0::detail
