#pragma once

/// \file
/// What imap and imap_unordered return: a lazy range of results.

#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <procpool/detail/stream.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/fwd.hpp>

namespace procpool::inline v0 {

namespace detail {
struct ResultsAccess;
[[noreturn]] void throw_next_timed_out();
}  // namespace detail

/// A move-only input range of results, in order of the input (imap) or of completion
/// (imap_unordered). Lazy on both sides: the input is read `MapOptions::buffersize` elements ahead of
/// the consumer and only inside the consumer's own calls (the imap call, `++`, `next`), so an input
/// need not be thread-safe and may be infinite. An lvalue input range is borrowed, an rvalue moved in.
///
/// An element's error is thrown by `*it` or `next` at its place; iteration can then go on (Python
/// 3.16). In a range-for loop the exception leaves the loop and thereby ends the stream: to see every
/// element, catch around `*it` or `next`. An exception from the input range itself comes at the
/// place of the element it stood for, and ends the stream.
///
/// One thread at a time. Destroying it cancels what has not started and does not wait.
/// Where R is void it is a range of std::monostate.
template <class R>
class Results {
  using Value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

 public:
  class iterator {
   public:
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using reference = Value&;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    iterator(iterator&&) noexcept = default;
    iterator& operator=(iterator&&) noexcept = default;

    /// The element, valid until `++`; or throws that element's error, as often as asked.
    Value& operator*() const { return results_->current(); }
    /// Waits for the next element. Throws no task's error.
    iterator& operator++() {
      results_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    /// The position of the element in the input.
    std::size_t index() const { return results_->index_; }

    friend bool operator==(const iterator& it, std::default_sentinel_t) {
      return it.ended();
    }

   private:
    friend Results;
    explicit iterator(Results& results) : results_(&results) {}
    bool ended() const { return results_->at_end_; }
    Results* results_ = nullptr;
  };

  Results(Results&&) noexcept = default;
  Results& operator=(Results&&) noexcept = default;

  /// Waits for the first element. Iterators speak of the range: it must not move while they live.
  iterator begin() {
    if (!started_) advance();
    return iterator(*this);
  }
  std::default_sentinel_t end() const noexcept { return {}; }

  /// Waits for the next element and returns it, or throws its error; nullopt at the end.
  std::optional<Value> next() { return take(detail::forever); }
  /// The same, for at most `d`; TimeoutError then, and the call can be repeated.
  template <class Rep, class Period>
  std::optional<Value> next_for(std::chrono::duration<Rep, Period> d) {
    return take(detail::time_after(d));
  }
  /// The position in the input of the element that `next` returned or threw last.
  std::size_t index() const noexcept { return index_; }

 private:
  friend detail::ResultsAccess;
  explicit Results(std::unique_ptr<detail::Stream> stream) : stream_(std::move(stream)) {}

  Value& current() {
    if (error_) std::rethrow_exception(error_);
    return *value_;
  }
  void advance() {
    started_ = true;
    detail::Stream::Item item;
    at_end_ = stream_->next(item, detail::forever) == detail::Stream::Got::end;
    if (!at_end_) decode(item);
  }
  std::optional<Value> take(detail::Time until) {
    detail::Stream::Item item;
    switch (stream_->next(item, until)) {
      case detail::Stream::Got::end: at_end_ = true; return std::nullopt;
      case detail::Stream::Got::timeout: detail::throw_next_timed_out();
      case detail::Stream::Got::item: break;
    }
    decode(item);
    current();
    return std::exchange(value_, std::nullopt);
  }
  void decode(const detail::Stream::Item& item) {
    index_ = item.index;
    value_.reset();
    error_ = nullptr;
    try {
      if constexpr (std::is_void_v<R>) {
        detail::decode_element<void>(item.outcome);
        value_.emplace();
      } else {
        value_.emplace(detail::decode_element<R>(item.outcome));
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  std::unique_ptr<detail::Stream> stream_;
  std::optional<Value> value_;
  std::exception_ptr error_;
  std::size_t index_ = 0;
  bool started_ = false;
  bool at_end_ = false;
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
