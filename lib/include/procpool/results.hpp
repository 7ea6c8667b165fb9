#pragma once

/// \file
/// What imap and imap_unordered return: a lazy range of results, or of outcomes.

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <procpool/detail/map.hpp>
#include <procpool/detail/stream.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/fwd.hpp>
#include <procpool/outcome.hpp>

namespace procpool::inline v0 {

namespace detail {
struct ResultsAccess;
[[noreturn]] void throw_next_timed_out();
}  // namespace detail

/// What imap and imap_unordered give when every element is to be seen: a move-only input range of
/// Outcome<R>, each a value or that element's own error; made by Results::settled. Lazy, ordered and
/// ended as Results is. One thread at a time.
template <class R>
class SettledResults {
 public:
  /// An input iterator over the outcomes. Belongs to its range, which must not move meanwhile.
  class iterator {
   public:
    ///@{

    /// What std::input_iterator asks for.
    using value_type = Outcome<R>;
    using difference_type = std::ptrdiff_t;
    using reference = Outcome<R>&;
    using iterator_concept = std::input_iterator_tag;
    ///@}

    ///@{

    /// Move-only. A default-made one may only be assigned to and destroyed.
    iterator() = default;
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;
    ///@}

    ///@{

    /// The element's outcome, valid until `++`. Throws nothing.
    Outcome<R>& operator*() const { return *results_->current_; }
    Outcome<R>* operator->() const { return &*results_->current_; }
    ///@}
    ///@{

    /// Waits for the next element. Throws no task's error.
    iterator& operator++() {
      results_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    ///@}
    /// The position of the element in the input.
    std::size_t index() const { return results_->index_; }

    /// Whether every element has been seen.
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.ended(); }

   private:
    friend SettledResults;
    explicit iterator(SettledResults& results) : results_(&results) {}
    bool ended() const { return !results_->current_.has_value(); }
    SettledResults* results_ = nullptr;
  };

  ///@{

  /// Move-only. What was assigned over is as if destroyed; a moved-from range may only be assigned to and
  /// destroyed.
  SettledResults(SettledResults&&) noexcept = default;
  SettledResults& operator=(SettledResults&&) noexcept = default;
  ///@}

  /// Waits for the first element. Iterators speak of the range: it must not move while they live.
  iterator begin() {
    if (!started_) advance();
    return iterator(*this);
  }
  /// What an iterator equals once every element has been seen.
  std::default_sentinel_t end() const noexcept { return {}; }

  /// Waits for the next element's outcome; nullopt at the end.
  std::optional<Outcome<R>> next() { return take(detail::forever); }
  /// The same, for at most `d`; TimeoutError then, and the call can be repeated.
  template <class Rep, class Period>
  std::optional<Outcome<R>> next_for(std::chrono::duration<Rep, Period> d) {
    return take(detail::time_after(d));
  }
  /// The position in the input of the element that came last.
  std::size_t index() const noexcept { return index_; }

 private:
  friend detail::ResultsAccess;
  friend Results<R>;
  explicit SettledResults(std::unique_ptr<detail::Stream> stream) : stream_(std::move(stream)) {}

  void advance() {
    started_ = true;
    current_ = take(detail::forever);
  }
  std::optional<Outcome<R>> take(detail::Time until) {
    detail::Stream::Item item;
    switch (stream_->next(item, until)) {
      case detail::Stream::Got::end: return std::nullopt;
      case detail::Stream::Got::timeout: detail::throw_next_timed_out();
      case detail::Stream::Got::item: break;
    }
    index_ = item.index;
    return detail::OutcomeAccess::make<R>(item.index, [&item]() -> decltype(auto) {
      return detail::decode_element<R>(item.outcome);
    });
  }

  std::unique_ptr<detail::Stream> stream_;
  std::optional<Outcome<R>> current_;  // of the iterators; none: at the end
  std::size_t index_ = 0;
  bool started_ = false;
};

/// A move-only input range of results, in order of the input (imap) or of completion
/// (imap_unordered). Lazy on both sides: the input is read `MapOptions::buffersize` elements ahead of
/// the consumer and only inside the consumer's own calls (the imap call, `++`, `next`), so an input
/// need not be thread-safe and may be infinite. An lvalue input range is borrowed, an rvalue moved in.
///
/// An element's error is thrown by `*it` or `next` at its place; iteration can then go on (Python
/// 3.16). In a range-for loop the exception leaves the loop and thereby ends the stream: to see every
/// element, loop over `std::move(results).settled()`, or catch around `*it` or `next`. An exception
/// from the input range itself comes at the place of the element it stood for, and ends the stream.
///
/// One thread at a time. Destroying it cancels what has not started and does not wait.
/// Where R is void it is a range of std::monostate.
template <class R>
class Results {
  using Value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

 public:
  /// An input iterator over the results. Belongs to its range, which must not move meanwhile.
  class iterator {
   public:
    ///@{

    /// What std::input_iterator asks for.
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using reference = Value&;
    using iterator_concept = std::input_iterator_tag;
    ///@}

    ///@{

    /// Move-only. A default-made one may only be assigned to and destroyed.
    iterator() = default;
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;
    ///@}

    /// The element, valid until `++`; or throws that element's error, as often as asked.
    Value& operator*() const { return detail::OutcomeAccess::value(*it_); }
    ///@{

    /// Waits for the next element. Throws no task's error.
    iterator& operator++() {
      ++it_;
      return *this;
    }
    void operator++(int) { ++it_; }
    ///@}
    /// The position of the element in the input.
    std::size_t index() const { return it_.index(); }

    /// Whether every element has been seen.
    friend bool operator==(const iterator& it, std::default_sentinel_t end) {
      return it.it_ == end;
    }

   private:
    friend Results;
    using Outcomes = typename SettledResults<R>::iterator;
    explicit iterator(Outcomes it) : it_(std::move(it)) {}
    Outcomes it_;
  };

  ///@{

  /// Move-only. What was assigned over is as if destroyed; a moved-from range may only be assigned to and
  /// destroyed.
  Results(Results&&) noexcept = default;
  Results& operator=(Results&&) noexcept = default;
  ///@}

  /// Waits for the first element. Iterators speak of the range: it must not move while they live.
  iterator begin() { return iterator(outcomes_.begin()); }
  /// What an iterator equals once every element has been seen.
  std::default_sentinel_t end() const noexcept { return {}; }

  /// Waits for the next element and returns it, or throws its error; nullopt at the end.
  std::optional<Value> next() { return value_of(outcomes_.next()); }
  /// The same, for at most `d`; TimeoutError then, and the call can be repeated.
  template <class Rep, class Period>
  std::optional<Value> next_for(std::chrono::duration<Rep, Period> d) {
    return value_of(outcomes_.next_for(d));
  }
  /// The position in the input of the element that `next` returned or threw last.
  std::size_t index() const noexcept { return outcomes_.index(); }

  /// What is left of it as a range of Outcome<R>, which throws no element's error: range-for loops see
  /// every element. Iterators of this are over.
  SettledResults<R> settled() && { return std::move(outcomes_); }

 private:
  friend detail::ResultsAccess;
  explicit Results(std::unique_ptr<detail::Stream> stream) : outcomes_(std::move(stream)) {}

  static std::optional<Value> value_of(std::optional<Outcome<R>> outcome) {
    if (!outcome) return std::nullopt;
    return std::move(detail::OutcomeAccess::value(*outcome));
  }

  SettledResults<R> outcomes_;
};

namespace detail {

struct ResultsAccess {
  template <class R>
  static Results<R> make(std::unique_ptr<Stream> stream) {
    return Results<R>(std::move(stream));
  }
};

}  // namespace detail
}  // namespace procpool::inline v0
