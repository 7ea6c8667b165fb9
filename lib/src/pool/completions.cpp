// What    Waiting for the next of several nodes to end, for one thread.
// Writers Of one core: that core. Else whoever sees an end, under the lock here.
// Death   A consumer that goes first leaves its queue behind, for the nodes to fill: they share it. What
//         is in a queue is looked at only while the consumer holds the node.

#include <procpool/detail/completions.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

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
  mixed_ = std::make_shared<Mixed>();
  for (Node* const node : nodes) {
    node->core->then(*node, [mixed = mixed_, node] { mixed->add(node); });
  }
}

Node* Completions::next(Time until) {
  return core_ != nullptr ? core_->wait_any(*queue_, until) : mixed_->next(until);
}

}  // namespace procpool::inline v0::detail
