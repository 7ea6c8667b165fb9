#pragma once

/// @file
/// What can be a task. A task is a callable and its arguments; both travel to another process, and
/// the result travels back. Nothing is registered and nothing is declared for it.
///
/// **Callables**: plain functions and static member functions (noexcept too); pointers to members;
/// captureless lambdas, generic ones too; functors that are empty, or default-constructible and
/// shippable; and what partial() makes of any of these. A functor is made anew for each call, in a
/// map for each chunk: it keeps no state. An overloaded name must be resolved by the caller:
/// `[](double x) { return std::sqrt(x); }`.
///
/// **Arguments** cross by value, as with std::thread: each as its `std::decay_t`, and the callable
/// gets it as an rvalue. So parameters `T`, `const T&` and `T&&` bind, and `T&` is refused, because
/// what a task writes there would be lost. Exceptions:
///
/// | given                        | crosses as                                                  |
/// |------------------------------|-------------------------------------------------------------|
/// | literal, `const char*`       | `std::string` (and reaches a `const char*` parameter)       |
/// | `std::reference_wrapper<T>`  | `T`                                                         |
/// | `std::pair<const K, V>`      | `std::pair<K, V>`                                           |
/// | `std::string_view`           | its characters, seen in place for the task's life           |
/// | `Future<T>`                  | `T`: the call runs once the future is done (not in maps)    |
/// | `std::span<T>`               | its elements, seen as `std::span<const T>` for the task's life |
///
/// A `std::string` for a `std::string_view` parameter and a `std::vector<T>` for a
/// `std::span<const T>` parameter are seen in place too: they are not copied in the worker.
/// Pointers and C arrays are refused. Default arguments of a plain function are not used.
///
/// **Results** come home as `task_result_t` says.
///
/// What cannot be sent is refused when it is compiled, and the first line of the error says what to
/// write instead.

#include <procpool/detail/partial.hpp>
#include <procpool/detail/refusal.hpp>

#include <type_traits>
#include <utility>

namespace procpool::inline v0 {

/// A T can be sent to another process and arrives there as a T.
///
/// Numbers, enumerations, the standard containers, std::string, tuple, pair, optional, variant,
/// chrono, unique_ptr, shared_ptr, filesystem::path, error_code and the like are. A struct of up to
/// 16 shippable members is, as it stands, if it has no base class, pointer or C array. Any other
/// class is if it is default-constructible and has cereal's functions:
///
///     template <class Archive> void serialize(Archive& ar) { ar(a, b); }
///
/// or `save` and `load`. Include `<cereal/access.hpp>` if they are private.
template <class T>
concept shippable = detail::archive_can_carry<std::remove_cv_t<T>>;

/// A call of an F with Args can be made in another process: the callable and the arguments can be
/// sent, they fit together, and the result can come home. For templates over a pool; a pool's own
/// members take anything and say by a static_assert what is wrong.
template <class F, class... Args>
concept task = detail::refusal<F, Args...>() == detail::Refusal::none;

/// The task's result at home: what the call returns, without const and reference; `std::string`
/// for `std::string_view` and `const char*`, `std::vector<T>` for `std::span<T>`. A type also for
/// calls that are refused; see `task`.
template <class F, class... Args>
using task_result_t = typename detail::Call<F, Args...>::result_type;

/// Binds the first arguments of f: functools.partial. They travel with the callable, and f gets them
/// as const, so that one partial serves all elements of a map.
///
///     pool.map(procpool::partial(power, 2.0), exponents);
///
/// The result is a functor of its own: it can be copied, called here, sent, and bound again. It owns
/// what it binds: a literal or std::string_view becomes a std::string, a std::span a std::vector.
template <class F, class... Args>
auto partial(F&& f, Args&&... args) {
  using Callable = std::decay_t<F>;
  if constexpr (!detail::check_callable<Callable>()) {
    return detail::RefusedPartial();
  } else if constexpr (!detail::check_no_future<Args...>()) {
    return detail::RefusedPartial();
  } else if constexpr (!(detail::check_argument<Args>() && ...)) {
    return detail::RefusedPartial();
  } else {
    return Partial<Callable, detail::bound_t<Args>...>(
        std::in_place, std::forward<F>(f),
        detail::to_bound<detail::bound_t<Args>>(std::forward<Args>(args))...);
  }
}

}  // namespace procpool::inline v0
