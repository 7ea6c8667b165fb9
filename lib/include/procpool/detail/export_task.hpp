#pragma once

// The other side of remote.hpp: what runs an exported task, and which callables can be exported.

#include <procpool/detail/call.hpp>
#include <procpool/detail/exports.hpp>
#include <procpool/detail/named_slot.hpp>
#include <procpool/detail/refusal.hpp>

#include <string_view>
#include <type_traits>

namespace procpool::inline v0::detail {

/// A callable with one signature that is known: its parameters as they were declared.
template <class F>
concept HasSignature =
    FunctionPointer<F> || (std::is_class_v<F> && requires { &F::operator(); });

/// Where the arguments of an element lie: those that a partial() has bound, then its own. (An argument
/// without bytes is found in either.)
struct BoundFirst {
  SpanIn& bound;
  SpanIn& own;
  operator SpanIn&() const { return bound.done() ? own : bound; }
};

template <class F, class List>
class Exported;
template <class F, class... P>
class Exported<F, TypeList<P...>> {
 public:
  using Result = typename decltype(result_at_home<F, passed_t<DeclaredSlot<P>>...>())::type;
  static constexpr bool callable = std::is_invocable_v<F&, passed_t<DeclaredSlot<P>>...>;

  static void add(std::string_view name, const F& f) {
    ExportedCode code{&run, nullptr};
    if constexpr (FunctionPointer<F>) {
      if (f == nullptr) throw_null_callable();
      code.function = reinterpret_cast<AnyFunction>(f);
    }
    add_export(name, signature_name<Result, P...>(), code);
  }

 private:
  static F make(AnyFunction function) {
    if constexpr (FunctionPointer<F>) {
      return reinterpret_cast<F>(function);
    } else {
      return F{};
    }
  }

  static void run(Invocation& invocation, SpanIn& callable_in, AnyFunction function) {
    F f = make(function);
    const std::byte* const bound = callable_in.place();
    do {
      callable_in.go_back(bound);
      run_element(f, callable_in, invocation);
      invocation.commit();
    } while (invocation.next());
  }

  static void run_element(F& f, SpanIn& bound, Invocation& invocation) {
    SpanIn& own = invocation.arguments();
    BoundFirst in{bound, own};
    Arguments<DeclaredSlot<P>...> arguments(in);
    bound.expect_end();
    own.expect_end();
    call_and_save(f, arguments, invocation);
  }
};

template <class F>
using exported_t = Exported<F, typename Parameters<F>::type>;

/// Each sentence stands in a function of its own, as in refusal.hpp.
template <class F>
consteval bool check_known() {
  static_assert(HasSignature<F>,
                "an exported task must have one signature, which is its contract with other "
                "programs: export a function or a lambda without auto parameters (a member "
                "function in a lambda), one name for each signature");
  return HasSignature<F>;
}
template <class F>
consteval bool check_stateless() {
  constexpr bool stateless = FunctionPointer<F> || std::is_empty_v<F>;
  static_assert(stateless,
                "only code is exported, no data: export a function, a captureless lambda or an "
                "empty functor, and take the data as an argument");
  return stateless;
}
template <class F, class... P>
consteval bool check_parameters(TypeList<P...>) {
  constexpr bool callable = Exported<F, TypeList<P...>>::callable;
  static_assert(callable,
                "the task has a T& parameter, and what it writes there would be lost: take T or "
                "const T&, and return what changed");
  if constexpr (callable) {
    return check_result<typename Exported<F, TypeList<P...>>::Result>();
  } else {
    return false;
  }
}
template <class... P>
consteval bool check_declared(TypeList<P...>) {
  return check_no_future<P...>() && (check_argument<std::remove_cvref_t<P>>() && ...);
}

/// True for what can be exported. Else the compiler says why not, once.
template <class F>
consteval bool check_export() {
  if constexpr (!check_callable<F>()) {
    return false;
  } else if constexpr (!check_known<F>()) {
    return false;
  } else if constexpr (!check_stateless<F>()) {
    return false;
  } else if constexpr (!check_declared(typename Parameters<F>::type())) {
    return false;
  } else {
    return check_parameters<F>(typename Parameters<F>::type());
  }
}

}  // namespace procpool::inline v0::detail
