#pragma once

// What    The decoded value (or error) of a finished node: made once, by the first thread that looks,
//         on that thread and outside every lock; the others wait for it.
// Writers The thread that moved `phase_` from raw to busy, until it sets value or error.
// Order   `phase_` is set after the value and read before it.

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::detail {

struct Nothing {};
/// void has no values; this stands for one.
template <class R>
using Stored = std::conditional_t<std::is_void_v<R>, Nothing, R>;

template <class T>
class Cell {
 public:
  Cell() noexcept {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;
  ~Cell() {
    if (phase_ == value) std::destroy_at(&value_);
    if (phase_ == error) std::destroy_at(&error_);
  }

  /// `decode()` returns the value or throws the error. Called at most once.
  template <class Decode>
  void decode_once(Decode decode) {
    std::uint32_t seen = raw;
    if (phase_.compare_exchange_strong(seen, busy)) {
      finish(decode);
    } else {
      while (phase_ == busy) phase_.wait(busy);
    }
  }

  bool has_value() const noexcept { return phase_ == value; }
  T& get() {
    if (phase_ == error) std::rethrow_exception(error_);
    return value_;
  }
  std::exception_ptr failure() const { return phase_ == error ? error_ : nullptr; }

 private:
  enum : std::uint32_t { raw, busy, value, error };

  template <class Decode>
  void finish(Decode& decode) {
    std::uint32_t end = value;
    try {
      new (&value_) T(decode());
    } catch (...) {
      new (&error_) std::exception_ptr(std::current_exception());
      end = error;
    }
    phase_ = end;
    phase_.notify_all();
  }

  std::atomic<std::uint32_t> phase_ = raw;
  union {
    T value_;
    std::exception_ptr error_;
  };
};

}  // namespace procpool::inline v0::detail
