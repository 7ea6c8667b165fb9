#pragma once

// The parameters that a callable declares, where it has one signature.

#include <procpool/detail/aggregate.hpp>

#include <cstddef>
#include <type_traits>

namespace procpool::inline v0::detail {

/// Stands for a parameter whose type is not known: of a generic lambda, or the object of a member.
struct UnknownParameter {};

template <class T>
struct FunctionParameters {
  using type = TypeList<>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P..., ...) noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) const noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) & noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) const & noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) && noexcept(N)> {
  using type = TypeList<P...>;
};
template <class R, class... P, bool N>
struct FunctionParameters<R(P...) const && noexcept(N)> {
  using type = TypeList<P...>;
};

template <class T>
struct MemberOf;
template <class T, class C>
struct MemberOf<T C::*> {
  using type = T;
};
template <class Pointer>
using member_t = typename MemberOf<Pointer>::type;

template <class List>
struct AfterObject;
template <class... P>
struct AfterObject<TypeList<P...>> {
  using type = TypeList<UnknownParameter, P...>;
};

/// The list of F's parameters; empty where they are not known.
template <class F>
struct Parameters {
  using type = TypeList<>;
};
template <class F>
struct Parameters<F*> : FunctionParameters<F> {};
template <class F>
  requires std::is_member_function_pointer_v<F>
struct Parameters<F> : AfterObject<typename FunctionParameters<member_t<F>>::type> {};
template <class F>
  requires(std::is_class_v<F> && requires { &F::operator(); })
struct Parameters<F> : FunctionParameters<member_t<decltype(&F::operator())>> {};

template <std::size_t I, class List>
struct At {
  using type = UnknownParameter;
};
template <class First, class... Rest>
struct At<0, TypeList<First, Rest...>> {
  using type = std::remove_cvref_t<First>;
};
template <std::size_t I, class First, class... Rest>
  requires(I > 0)
struct At<I, TypeList<First, Rest...>> : At<I - 1, TypeList<Rest...>> {};

/// The type of F's parameter at I without reference and const, or UnknownParameter.
template <class F, std::size_t I>
using parameter_t = typename At<I, typename Parameters<F>::type>::type;

}  // namespace procpool::inline v0::detail
