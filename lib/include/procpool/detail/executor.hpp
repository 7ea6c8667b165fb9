#pragma once

// Executors as callers have them: with a member execute(fn), or with a post(executor, fn) that is found
// by argument-dependent lookup.

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

using AnyJob = void (*)();

template <class E>
concept HasExecute = requires(E& executor, AnyJob job) { executor.execute(job); };
template <class E>
concept HasPost = requires(E& executor, AnyJob job) { post(executor, job); };
template <class E>
concept RunsFunctions =
    HasExecute<std::remove_reference_t<E>> || HasPost<std::remove_reference_t<E>>;

/// Executors are handles and are copied. What cannot be copied (an io_context) is referred to.
template <class E>
class ExecutorHandle {
  using Executor = std::remove_cvref_t<E>;
  static constexpr bool copied = std::copy_constructible<Executor>;
  static_assert(copied || std::is_lvalue_reference_v<E>,
                "this executor can be neither copied nor referred to: pass an object that lives "
                "until the task is done");
  using Kept = std::conditional_t<copied, Executor, std::remove_reference_t<E>*>;

 public:
  explicit ExecutorHandle(std::remove_reference_t<E>& executor) : kept_(keep(executor)) {}

  template <class F>
  void operator()(F job) const {
    auto& executor = get();
    if constexpr (HasExecute<std::remove_reference_t<E>>) {
      executor.execute(std::move(job));
    } else {
      post(executor, std::move(job));
    }
  }

 private:
  static Kept keep(std::remove_reference_t<E>& executor) {
    if constexpr (copied) {
      return executor;
    } else {
      return std::addressof(executor);
    }
  }
  auto& get() const {
    if constexpr (copied) {
      return kept_;
    } else {
      return *kept_;
    }
  }

  mutable Kept kept_;  // `execute` need not be const
};

}  // namespace procpool::inline v0::detail
