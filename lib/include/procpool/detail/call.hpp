#pragma once

// A call: the type of its result at home, its descriptor, and its bytes. A single call is one
// archive, the callable and then the arguments; in a map each element is an archive of its own.

#include <procpool/detail/argument.hpp>
#include <procpool/detail/callable.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/invocation.hpp>
#include <procpool/detail/result.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

/// Calls f and encodes its result.
template <class F, class Args>
void call_and_save(F& f, Args& arguments, Invocation& invocation) {
  if constexpr (std::is_void_v<decltype(arguments.call(f))>) {
    arguments.call(f);
  } else {
    decltype(auto) result = arguments.call(f);
    save_result_or_say(invocation.result(), result);
  }
}

/// Does another program's code run such a callable, found by a name (remote.hpp)?
template <class F>
inline constexpr bool called_by_name = false;

/// How an argument of decayed type D crosses to a parameter of type P.
template <class D, class P>
struct SlotFor {
  using type = Slot<D, P>;
};
template <class D, class P>
using slot_t = typename SlotFor<D, P>::type;

/// Calls whose arguments and results need no encoding: one number in, one number out.
template <class F, class... Slots>
struct FlatCall {
  static constexpr bool possible = false;
};
template <class F, class S>
  requires(std::is_base_of_v<ValueSlot<typename S::Stored>, S> &&
           std::is_arithmetic_v<typename S::Stored>)
struct FlatCall<F, S> {
  using Argument = typename S::Stored;
  using Returned = std::invoke_result_t<F&, Argument>;
  using Result = std::remove_cvref_t<Returned>;
  static constexpr bool possible = std::is_arithmetic_v<Result> && !std::is_same_v<Result, bool>;

  static void run(F& f, Invocation& invocation) {
    for (Block b = invocation.next_block(); b.first != b.last; b = invocation.next_block()) {
      for (std::size_t i = b.first; i != b.last; ++i) {
        Argument argument;
        std::memcpy(&argument, b.arguments + i * sizeof argument, sizeof argument);
        const Result result = std::invoke(f, std::move(argument));
        std::memcpy(b.results + i * sizeof result, &result, sizeof result);
        b.ended(i);
      }
    }
  }
};

/// What a worker does for a callable of type F and arguments that cross in these slots. Calls that
/// differ only in how the arguments were written (lvalue, rvalue, const) share it.
template <class F, class... Slots>
class Work {
 public:
  static const Descriptor& descriptor() {
    static_cast<void>(registered_);  // used, hence instantiated, hence run before main
    return descriptor_;
  }

 private:
  static void run(Invocation& invocation) {
    F f = CallableCodec<F>::load(invocation.callable());
    if constexpr (FlatCall<F, Slots...>::possible) {
      if (invocation.is_flat()) return FlatCall<F, Slots...>::run(f, invocation);
    }
    do {
      run_element(f, invocation);
      invocation.commit();
    } while (invocation.next());
  }

  static void run_element(F& f, Invocation& invocation) {
    SpanIn& in = invocation.arguments();
    Arguments<Slots...> arguments(in);
    in.expect_end();
    call_and_save(f, arguments, invocation);
  }

  inline static constinit Descriptor descriptor_{&run, &CallableCodec<F>::name, nullptr};
  inline static const bool registered_ = (register_descriptor(descriptor_), true);
};

/// The type of a call that is refused and whose result is therefore not known. It converts to
/// anything, so that the refusal is the only error.
struct Unknowable {
  template <class T>
  operator T() const;
};

template <class F, class... Passed>
consteval auto result_at_home() {
  if constexpr (std::is_invocable_v<F&, Passed...>) {
    return std::type_identity<at_home_t<std::invoke_result_t<F&, Passed...>>>();
  } else if constexpr (std::is_invocable_v<F&, std::remove_reference_t<Passed>&...>) {
    return std::type_identity<
        at_home_t<std::invoke_result_t<F&, std::remove_reference_t<Passed>&...>>>();
  } else {
    return std::type_identity<Unknowable>();
  }
}

template <class F, class Indices, class... Args>
struct CallTypes;
template <class F, std::size_t... I, class... Args>
struct CallTypes<F, std::index_sequence<I...>, Args...> {
  using work = Work<F, slot_t<std::decay_t<Args>, parameter_t<F, I>>...>;
  using flat = FlatCall<F, slot_t<std::decay_t<Args>, parameter_t<F, I>>...>;
  using result = typename decltype(result_at_home<F, passed_t<slot_t<
                                       std::decay_t<Args>, parameter_t<F, I>>>...>())::type;
  static constexpr bool callable =
      std::is_invocable_v<F&, passed_t<slot_t<std::decay_t<Args>, parameter_t<F, I>>>...>;

  static void save(SpanOut& out, const std::remove_reference_t<Args>&... args) {
    (slot_t<std::decay_t<Args>, parameter_t<F, I>>::save(out, args), ...);
  }
  template <class Note>
  static void save_around(SpanOut& out, Note& note, const std::remove_reference_t<Args>&... args) {
    const auto each = [&]<class S, class A>(std::type_identity<S>, const A& arg) {
      if constexpr (gives_future<A>) {
        note(arg);
      } else {
        S::save(out, arg);
      }
    };
    (each(std::type_identity<slot_t<std::decay_t<Args>, parameter_t<F, I>>>(), args), ...);
  }
};

/// A call of an F with Args, both as deduced from forwarding references.
template <class F, class... Args>
struct Call {
  using Callable = std::decay_t<F>;
  using Types = CallTypes<Callable, std::index_sequence_for<Args...>, Args...>;
  using result_type = typename Types::result;

  static const Descriptor& descriptor() { return Types::work::descriptor(); }

  static void save_callable(SpanOut& out, const Callable& f) {
    CallableCodec<Callable>::save(out, f);
  }
  static void save_arguments(SpanOut& out, const std::remove_reference_t<Args>&... args) {
    Types::save(out, args...);
  }
  /// The same where some are futures: each is shown to `note`, where its value belongs.
  template <class Note>
  static void save_around(SpanOut& out, Note& note, const std::remove_reference_t<Args>&... args) {
    Types::save_around(out, note, args...);
  }
};

}  // namespace procpool::inline v0::detail
