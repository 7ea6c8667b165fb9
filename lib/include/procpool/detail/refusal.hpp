#pragma once

// Which calls are refused, and what to write instead. The sentences are the first line of the
// compiler's first error; nothing of a refused call is instantiated after it.

#include <procpool/detail/call.hpp>
#include <procpool/fwd.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

enum class Refusal {
  none,
  // the callable
  std_function,
  std_bind,
  capturing_lambda,
  capture_default,
  no_default_constructor,
  functor_data,
  callable_kind,
  // an argument
  void_future,
  futures_inside,
  pool_argument,
  pointer_argument,
  array_argument,
  unshippable_argument,
  // both together
  reference_parameter,
  does_not_fit,
  // the result
  future_result,
  pointer_result,
  unshippable_result,
};

template <class T>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

template <class T>
consteval bool is_std_bind() {
  return std::is_bind_expression_v<T> || type_text<T>().starts_with("std::_Bind_front<");
}

template <class F>
consteval Refusal functor_refusal() {
  if constexpr (is_std_function<F>) {
    return Refusal::std_function;
  } else if constexpr (is_std_bind<F>()) {
    return Refusal::std_bind;
  } else if constexpr (is_closure<F>()) {
    if (!std::is_empty_v<F>) return Refusal::capturing_lambda;
    return std::default_initializable<F> ? Refusal::none : Refusal::capture_default;
  } else if constexpr (!std::default_initializable<F>) {
    return Refusal::no_default_constructor;
  } else if constexpr (!std::is_empty_v<F> && !archive_can_carry<F>) {
    return Refusal::functor_data;
  } else {
    return Refusal::none;
  }
}

template <class F>
consteval Refusal callable_refusal() {
  if constexpr (FunctionPointer<F> || std::is_member_pointer_v<F>) {
    return Refusal::none;
  } else if constexpr (std::is_class_v<F>) {
    return functor_refusal<F>();
  } else {
    return Refusal::callable_kind;
  }
}

template <class T>
inline constexpr bool holds_futures = false;
template <class T>
  requires requires { typename T::value_type; }
inline constexpr bool holds_futures<T> = is_future<typename T::value_type>;
template <class... T>
inline constexpr bool holds_futures<std::tuple<T...>> = (is_future<T> || ...);
template <class A, class B>
inline constexpr bool holds_futures<std::pair<A, B>> = is_future<A> || is_future<B>;

/// A is as deduced at the call: an array is still one.
template <class A>
consteval Refusal argument_refusal() {
  using Given = std::remove_reference_t<A>;
  using Sent = crossing_t<A>;
  if constexpr (std::is_void_v<Sent>) {
    return Refusal::void_future;
  } else if constexpr (holds_futures<Sent>) {
    return Refusal::futures_inside;
  } else if constexpr (std::is_base_of_v<Pool, Sent>) {
    return Refusal::pool_argument;
  } else if constexpr (std::is_pointer_v<Sent>) {
    return std::is_array_v<Given> ? Refusal::array_argument : Refusal::pointer_argument;
  } else if constexpr (!archive_can_carry<Sent>) {
    return Refusal::unshippable_argument;
  } else {
    return Refusal::none;
  }
}

template <class R>
consteval Refusal result_refusal() {
  if constexpr (std::is_void_v<R>) {
    return Refusal::none;
  } else if constexpr (is_future<R>) {
    return Refusal::future_result;
  } else if constexpr (std::is_pointer_v<R>) {
    return Refusal::pointer_result;
  } else if constexpr (!archive_can_carry<R>) {
    return Refusal::unshippable_result;
  } else {
    return Refusal::none;
  }
}

/// For a call whose callable and arguments can be sent.
template <class F, class... Args>
consteval Refusal joint_refusal() {
  using Types = typename Call<F, Args...>::Types;
  if constexpr (Types::callable) {
    return result_refusal<typename Types::result>();
  } else if constexpr (std::is_same_v<typename Types::result, Unknowable>) {
    return Refusal::does_not_fit;
  } else {
    return Refusal::reference_parameter;
  }
}

template <class F, class... Args>
consteval Refusal refusal() {
  constexpr Refusal callable = callable_refusal<std::decay_t<F>>();
  if constexpr (callable != Refusal::none) {
    return callable;
  } else if constexpr (((argument_refusal<Args>() != Refusal::none) || ...)) {
    return Refusal::unshippable_argument;
  } else {
    return joint_refusal<F, Args...>();
  }
}

// The sentences. Each stands in a function of its own type parameter, so that the compiler names
// the type beside it.

template <class F>
consteval bool check_callable() {
  constexpr Refusal why = callable_refusal<F>();
  static_assert(why != Refusal::std_function,
                "a std::function cannot be sent to another process: pass the function, the "
                "captureless lambda or the functor itself");
  static_assert(why != Refusal::std_bind,
                "what std::bind and std::bind_front make cannot be sent to another process: write "
                "procpool::partial(f, args...)");
  static_assert(why != Refusal::capturing_lambda,
                "a capturing lambda cannot be sent to another process: write [] and pass what it "
                "captures as arguments, or bind them with procpool::partial(f, args...)");
  static_assert(why != Refusal::capture_default,
                "a lambda that captures nothing is written [], not [&] or [=]");
  static_assert(why != Refusal::no_default_constructor,
                "a functor is made anew in the worker: give it a default constructor");
  static_assert(why != Refusal::functor_data,
                "the data of this functor cannot be sent to another process: make it a struct of "
                "shippable members, or give it `template <class A> void serialize(A& ar) "
                "{ ar(member, ...); }`");
  static_assert(why != Refusal::callable_kind,
                "this cannot be called: pass a function, a captureless lambda, a functor, a "
                "pointer to a member or procpool::partial(f, args...)");
  return why == Refusal::none;
}

template <class A>
consteval bool check_argument() {
  constexpr Refusal why = argument_refusal<A>();
  static_assert(why != Refusal::void_future,
                "a Future<void> has no value that could be an argument: wait() for it before this "
                "call");
  static_assert(why != Refusal::futures_inside,
                "a Future inside another argument is not replaced by its value: pass the futures "
                "as arguments of their own, or procpool::gather(futures)");
  static_assert(why != Refusal::pool_argument,
                "a Pool cannot be an argument, it belongs to its process: pass what the task "
                "needs and submit from here, or make a pool inside the task");
  static_assert(why != Refusal::pointer_argument,
                "a pointer means nothing in another process: pass the object itself, or a "
                "std::string, std::vector or std::unique_ptr that owns it");
  static_assert(why != Refusal::array_argument,
                "a C array cannot be an argument: pass a std::array, a std::vector or a std::span "
                "of it");
  static_assert(why != Refusal::unshippable_argument,
                "this argument cannot be sent to another process: make it a struct of shippable "
                "members, or give its type `template <class A> void serialize(A& ar) "
                "{ ar(member, ...); }`");
  return why == Refusal::none;
}

template <class R>
consteval bool check_result() {
  constexpr Refusal why = result_refusal<R>();
  static_assert(why != Refusal::future_result,
                "a task cannot return a Future: return its value, future.get()");
  static_assert(why != Refusal::pointer_result,
                "a task cannot return a pointer: return the object itself, or a std::string, "
                "std::vector or std::unique_ptr that owns it");
  static_assert(why != Refusal::unshippable_result,
                "the result of this task cannot be sent home: make it a struct of shippable "
                "members, or give its type `template <class A> void serialize(A& ar) "
                "{ ar(member, ...); }`");
  return why == Refusal::none;
}

template <class F, class... Args>
consteval bool check_fit() {
  constexpr Refusal why = joint_refusal<F, Args...>();
  static_assert(why != Refusal::reference_parameter,
                "the callable has a T& parameter, and what a task writes to it would be lost: "
                "take T or const T&, and return what changed");
  static_assert(why != Refusal::does_not_fit,
                "the callable does not take these arguments: a task gets rvalues of their decayed "
                "types (a literal is a std::string), and default arguments of a plain function "
                "must be given or the function wrapped in a lambda");
  return why != Refusal::reference_parameter && why != Refusal::does_not_fit;
}

/// For what is not an argument of a single call.
template <class... A>
consteval bool check_no_future() {
  constexpr bool none = !(gives_future<A> || ...);
  static_assert(none,
                "a Future is replaced by its value only as an argument of submit and apply: here, "
                "give its value, future.get()");
  return none;
}

/// True for a call that can be made, whatever its result. Else the compiler says why not, once.
template <class F, class... Args>
consteval bool check_sending() {
  if constexpr (callable_refusal<std::decay_t<F>>() != Refusal::none) {
    return check_callable<std::decay_t<F>>();
  } else if constexpr (((argument_refusal<Args>() != Refusal::none) || ...)) {
    return (check_argument<Args>() && ...);
  } else {
    return check_fit<F, Args...>();
  }
}

/// True for a call that can be made and whose result can come home.
template <class F, class... Args>
consteval bool check_call() {
  if constexpr (check_sending<F, Args...>()) {
    return check_result<typename Call<F, Args...>::result_type>();
  } else {
    return false;
  }
}

}  // namespace procpool::inline v0::detail
