#pragma once

/// \file
/// Futures in order of completion. Python: concurrent.futures.as_completed (3.13).

#include <chrono>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <procpool/detail/completions.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/future.hpp>

namespace procpool::inline v0 {

namespace detail {
[[noreturn]] void throw_unfinished(std::size_t unfinished, std::size_t all);
}

/// A move-only input range of futures that are done: those that were done at the call in the order in
/// which they were given, then the others as they come. One thread at a time. Each handle is let go when
/// the next is asked for, so that `std::move(future).get()` of the last one moves its value out.
template <class R>
class AsCompleted {
 public:
  /// An input iterator over the futures. Belongs to its range, which must not move meanwhile.
  class iterator {
   public:
    ///@{

    /// What std::input_iterator asks for.
    using value_type = Future<R>;
    using difference_type = std::ptrdiff_t;
    using reference = Future<R>&;
    using iterator_concept = std::input_iterator_tag;
    ///@}

    ///@{

    /// Move-only. A default-made one may only be assigned to and destroyed.
    iterator() = default;
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;
    ///@}

    ///@{

    /// A future that is done; valid until `++`.
    Future<R>& operator*() const { return *range_->current_; }
    Future<R>* operator->() const { return &*range_->current_; }
    ///@}
    ///@{

    /// Waits for the next. Throws TimeoutError, and no task's error.
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    ///@}
    /// Whether every future has been seen.
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.ended(); }

   private:
    friend AsCompleted;
    explicit iterator(AsCompleted& range) : range_(&range) {}
    bool ended() const { return !range_->current_.has_value(); }
    AsCompleted* range_ = nullptr;
  };

  /// \private Made by as_completed.
  AsCompleted(std::vector<Future<R>> futures, detail::Time until)
      : until_(until), all_(futures.size()) {
    std::vector<Future<R>> others;
    for (Future<R>& each : futures) {
      if (each.ready()) {
        done_.push_back(std::move(each));
      } else {
        others.push_back(std::move(each));
      }
    }
    pending_.emplace(others);
  }
  ///@{

  /// Move-only. A moved-from range may only be assigned to and destroyed.
  AsCompleted(AsCompleted&&) noexcept = default;
  AsCompleted& operator=(AsCompleted&&) noexcept = default;
  ///@}

  /// Waits for the first. Throws TimeoutError. Iterators speak of the range: it must not move.
  iterator begin() {
    if (!std::exchange(started_, true)) advance();
    return iterator(*this);
  }
  /// What an iterator equals once every future has been seen.
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  void advance() {
    current_.reset();
    if (!done_.empty()) {
      current_ = std::move(done_.front());
      done_.pop_front();
    } else if (pending_->size() != 0) {
      current_ = pending_->next(until_);
      if (!current_) detail::throw_unfinished(pending_->size(), all_);
    }
  }

  detail::Time until_;
  std::size_t all_;
  std::deque<Future<R>> done_;
  std::optional<detail::PendingFutures<R>> pending_;
  std::optional<Future<R>> current_;
  bool started_ = false;
};

///@{

/// The futures, each task once, in order of completion: those that are done already first. The handles
/// are copied at the call; they may be of several pools. An empty future: Misuse. Python:
/// concurrent.futures.as_completed.
///
///     for (auto& future : procpool::as_completed(futures)) use(future.get());
///
/// With a `timeout`, counted from this call, TimeoutError where one is asked for that is not done when it
/// is over. The tasks go on.
template <detail::FutureRange Range>
[[nodiscard]] auto as_completed(Range&& futures) {
  using R = detail::future_result_t<Range>;
  return AsCompleted<R>(detail::distinct<R>(futures), detail::forever);
}
template <detail::FutureRange Range, class Rep, class Period>
[[nodiscard]] auto as_completed(Range&& futures, std::chrono::duration<Rep, Period> timeout) {
  using R = detail::future_result_t<Range>;
  const detail::Time until = detail::time_after(timeout);
  return AsCompleted<R>(detail::distinct<R>(futures), until);
}
template <class R>
[[nodiscard]] auto as_completed(std::initializer_list<Future<R>> futures) {
  return AsCompleted<R>(detail::distinct<R>(futures), detail::forever);
}
template <class R, class Rep, class Period>
[[nodiscard]] auto as_completed(std::initializer_list<Future<R>> futures,
                                std::chrono::duration<Rep, Period> timeout) {
  const detail::Time until = detail::time_after(timeout);
  return AsCompleted<R>(detail::distinct<R>(futures), until);
}
///@}

}  // namespace procpool::inline v0
