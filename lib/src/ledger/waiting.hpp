#pragma once

// What waits to be dispatched: by priority, and among equals in order of submission, also what comes
// back from workers. Under the core's lock.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0::ledger {

inline int priority_of(const detail::Assignment& work) {
  return work.options == nullptr ? 0 : work.options->priority;
}

inline bool has_timeout(const detail::Assignment& work) {
  return work.options != nullptr && work.options->timeout.has_value();
}
/// What is to be done first about how long it runs, and when; empty: nothing ever is.
inline std::optional<Duration> first_limit(const detail::Assignment& work) {
  if (work.options == nullptr) return std::nullopt;
  return work.options->soft_timeout ? work.options->soft_timeout : work.options->timeout;
}
/// One more attempt, of which there is one left.
inline void once_more(detail::Assignment& work) {
  --work.retries;
  if (work.attempt != std::numeric_limits<std::uint16_t>::max()) ++work.attempt;
}

/// Submitted before, or of the same map and with a lower index.
inline bool goes_before(const detail::Assignment& a, const detail::Assignment& b) {
  const auto order = [](const detail::Assignment& work) {
    return work.is_chunk
               ? std::pair(static_cast<const detail::Chunk&>(work).batch->id, work.first)
               : std::pair(static_cast<const detail::Node&>(work).id, std::uint32_t{0});
  };
  return order(a) < order(b);
}

/// A doubly linked list through the assignments.
class AssignmentList {
 public:
  detail::Assignment* front() const { return first_; }
  bool empty() const { return first_ == nullptr; }
  void push_back(detail::Assignment& work) {
    work.next = nullptr;
    work.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &work;
    last_ = &work;
  }
  /// Before the first that it goes before. What comes back is older than nearly all that waits.
  void insert(detail::Assignment& work) {
    detail::Assignment* next = first_;
    while (next != nullptr && !goes_before(work, *next)) next = next->next;
    if (next == nullptr) return push_back(work);
    work.previous = next->previous;
    work.next = next;
    (next->previous == nullptr ? first_ : next->previous->next) = &work;
    next->previous = &work;
  }
  void remove(detail::Assignment& work) {
    (work.previous == nullptr ? first_ : work.previous->next) = work.next;
    (work.next == nullptr ? last_ : work.next->previous) = work.previous;
    work.next = work.previous = nullptr;
  }

 private:
  detail::Assignment* first_ = nullptr;
  detail::Assignment* last_ = nullptr;
};

class Waiting {
 public:
  std::size_t size() const { return size_; }
  /// The next to go; null: nothing waits.
  detail::Assignment* front() const {
    if (!others_.empty() && (others_.begin()->first > 0 || ordinary_.empty())) {
      return others_.begin()->second.front();
    }
    return ordinary_.front();
  }
  void push_back(detail::Assignment& work) {
    list_of(work).push_back(work);
    entered(work);
  }
  void insert(detail::Assignment& work) {
    list_of(work).insert(work);
    entered(work);
  }
  void remove(detail::Assignment& work) {
    AssignmentList& list = list_of(work);
    list.remove(work);
    if (list.empty() && &list != &ordinary_) others_.erase(priority_of(work));
    work.waits = false;
    --size_;
  }
  /// Every one; `visit` may remove the one it is given.
  template <class Visit>
  void each(Visit visit) {
    visit_all(ordinary_, visit);
    for (auto at = others_.begin(); at != others_.end();) visit_all((at++)->second, visit);
  }

 private:
  AssignmentList& list_of(const detail::Assignment& work) {
    const int priority = priority_of(work);
    return priority == 0 ? ordinary_ : others_[priority];
  }
  void entered(detail::Assignment& work) {
    work.waits = true;
    ++size_;
  }
  template <class Visit>
  static void visit_all(AssignmentList& list, Visit& visit) {
    for (detail::Assignment* work = list.front(); work != nullptr;) {
      detail::Assignment* const next = work->next;
      visit(*work);
      work = next;
    }
  }

  AssignmentList ordinary_;  // priority 0
  std::map<int, AssignmentList, std::greater<>> others_;  // none of them empty
  std::size_t size_ = 0;
};

}  // namespace procpool::inline v0::ledger
