#pragma once

// A text that is composed when somebody reads it, once, on the reader's thread.

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

/// Copies share it. Any thread may read.
class LazyText {
 public:
  LazyText() = default;
  template <class F>
  requires std::is_invocable_r_v<std::string, F&>
  explicit LazyText(F compose) : LazyText(std::make_unique<Of<F>>(std::move(compose))) {}

  /// What `compose` returned; empty without one. Where it threw, a sentence that says so.
  const std::string& text() const noexcept;
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  struct Source {
    virtual ~Source() = default;
    virtual std::string compose() = 0;
  };
  template <class F>
  struct Of final : Source {
    explicit Of(F f) : function(std::move(f)) {}
    std::string compose() override { return function(); }
    F function;
  };
  struct State;
  explicit LazyText(std::unique_ptr<Source> source);

  std::shared_ptr<State> state_;
};

}  // namespace procpool::inline v0::detail
