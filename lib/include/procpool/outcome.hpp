#pragma once

/// \file
/// One element's value or its own error, for calls that lose nothing: map_settled, settled().

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <procpool/fwd.hpp>

namespace procpool::inline v0 {

namespace detail {
struct OutcomeAccess;
}

/// A value or an error: the shape of std::expected<R, std::exception_ptr>. A plain value type; no
/// thread-safety of its own.
template <class R>
class Outcome {
  using Value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

 public:
  /// The result's type at home; void for a task that returns nothing.
  using value_type = R;

  ///@{

  /// True: `value` does not throw.
  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  ///@}

  ///@{

  /// The value, or the element's error thrown: a fresh throw each time. (void: nothing.)
  std::add_lvalue_reference_t<const R> value() const& {
    if (!value_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<R>) return *value_;
  }
  R value() && {
    if (!value_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<R>) return std::move(*value_);
  }
  ///@}
  ///@{

  /// The value unchecked: undefined for an error. Not for void.
  template <class V = Value>
    requires(!std::is_void_v<R>)
  const V& operator*() const& noexcept {
    return *value_;
  }
  template <class V = Value>
    requires(!std::is_void_v<R>)
  V&& operator*() && noexcept {
    return *std::move(value_);
  }
  template <class V = Value>
    requires(!std::is_void_v<R>)
  const V* operator->() const noexcept {
    return &*value_;
  }
  ///@}
  ///@{

  /// The value, or `otherwise`. Not for void.
  template <class U>
    requires(!std::is_void_v<R>)
  R value_or(U&& otherwise) const& {
    return value_ ? *value_ : static_cast<R>(std::forward<U>(otherwise));
  }
  template <class U>
    requires(!std::is_void_v<R>)
  R value_or(U&& otherwise) && {
    return value_ ? *std::move(value_) : static_cast<R>(std::forward<U>(otherwise));
  }
  ///@}
  /// The error; null for a value. What came from a task carries its RemoteTraceback.
  [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }
  /// The element's position in the input.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }

 private:
  friend detail::OutcomeAccess;
  Outcome() = default;

  std::optional<Value> value_;
  std::exception_ptr error_;
  std::size_t index_ = 0;
};

namespace detail {

struct OutcomeAccess {
  /// The value (void: a std::monostate), or the error thrown.
  template <class R>
  static auto& value(v0::Outcome<R>& outcome) {
    if (!outcome.value_) std::rethrow_exception(outcome.error_);
    return *outcome.value_;
  }
  /// `decode()` returns the value (void: anything) or throws the error.
  template <class R, class Decode>
  static v0::Outcome<R> make(std::size_t index, Decode&& decode) {
    v0::Outcome<R> outcome;
    outcome.index_ = index;
    try {
      if constexpr (std::is_void_v<R>) {
        decode();
        outcome.value_.emplace();
      } else {
        outcome.value_.emplace(decode());
      }
    } catch (...) {
      outcome.error_ = std::current_exception();
    }
    return outcome;
  }
};

}  // namespace detail
}  // namespace procpool::inline v0
