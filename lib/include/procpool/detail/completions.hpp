#pragma once

// Several futures, in order of completion.

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <procpool/detail/argument.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/future.hpp>

namespace procpool::inline v0::detail {

template <class Range>
concept FutureRange =
    std::ranges::input_range<Range> && is_future<std::ranges::range_value_t<Range>>;
template <class Range>
using future_result_t = typename std::ranges::range_value_t<Range>::value_type;

/// A handle on each of the tasks, once, in their order. Throws Misuse for an empty future.
template <class R, class Range>
std::vector<Future<R>> distinct(Range&& futures) {
  std::vector<Future<R>> all;
  std::unordered_set<const Node*> seen;
  for (const Future<R>& future : futures) {
    if (seen.insert(&FutureAccess::node(future)).second) all.push_back(future);
  }
  return all;
}

/// Which of some unfinished nodes end, in order; of whichever cores they are. If all are of one, the
/// waiting thread drives it; else it sleeps, and each core drives itself. In a task of a pool of threads
/// it runs what waits in that pool meanwhile: no other thread may be free for it.
class Completions {
 public:
  /// The caller keeps the nodes.
  explicit Completions(const std::vector<Node*>& nodes);
  /// Waits for the next; null: the time came first. At most once for each node.
  Node* next(Time until);

 private:
  struct Mixed;
  Keeper* core_ = nullptr;  // of all; null: they are of several
  std::shared_ptr<CompletionQueue> queue_;
  std::shared_ptr<Mixed> mixed_;
};

/// The same with their handles.
template <class R>
class PendingFutures {
 public:
  explicit PendingFutures(const std::vector<Future<R>>& futures)
      : futures_(by_node(futures)), completions_(nodes(futures)) {}

  std::size_t size() const noexcept { return futures_.size(); }
  /// Not when there are none.
  std::optional<Future<R>> next(Time until) {
    const auto found = futures_.find(completions_.next(until));
    if (found == futures_.end()) return std::nullopt;
    Future<R> future = std::move(found->second);
    futures_.erase(found);
    return future;
  }

 private:
  static std::unordered_map<const Node*, Future<R>> by_node(const std::vector<Future<R>>& futures) {
    std::unordered_map<const Node*, Future<R>> map;
    for (const Future<R>& future : futures) map.emplace(&FutureAccess::node(future), future);
    return map;
  }
  static std::vector<Node*> nodes(const std::vector<Future<R>>& futures) {
    std::vector<Node*> nodes;
    for (const Future<R>& future : futures) nodes.push_back(&FutureAccess::node(future));
    return nodes;
  }

  std::unordered_map<const Node*, Future<R>> futures_;
  Completions completions_;
};

}  // namespace procpool::inline v0::detail
