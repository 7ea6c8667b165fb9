#pragma once

// A text that is composed when somebody reads it, once, on the reader's thread.

#include <functional>
#include <memory>
#include <string>

namespace procpool::inline v0::detail {

/// Copies share it. Any thread may read.
class LazyText {
 public:
  LazyText() = default;
  explicit LazyText(std::function<std::string()> compose);

  /// What `compose` returned; empty without one. Where it threw, a sentence that says so.
  const std::string& text() const noexcept;
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace procpool::inline v0::detail
