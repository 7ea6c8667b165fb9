#pragma once

// Plain structs travel member by member, with nothing written by the user. The members are
// counted by asking how many initialisers the struct takes, and reached by structured bindings.

#include <cereal/cereal.hpp>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

inline constexpr std::size_t max_members = 16;

/// Initialises any member of T, but not T itself.
template <class T>
struct AnyMember {
  template <class U>
  requires(!std::is_same_v<U, T>) operator U() const noexcept;
};
/// Initialises only a base of T.
template <class T>
struct AnyBase {
  template <class U>
  requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) operator U() const noexcept;
};
template <class T, std::size_t>
using AnyMemberAt = AnyMember<T>;

template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
  return requires { T{AnyMemberAt<T, I>{}...}; };
}

/// The most initialisers that T takes; max_members + 1 stands for too many.
template <class T, std::size_t N = max_members + 1>
consteval std::size_t count_initialisers() {
  if constexpr (N == 0) {
    return 0;
  } else if constexpr (takes<T>(std::make_index_sequence<N>())) {
    return N;
  } else {
    return count_initialisers<T, N - 1>();
  }
}

/// Does T take `{}` for its member at sizeof...(I), with all others given? If that member is a C
/// array, whose elements were counted one by one, the `{}` swallows all of it and too many are
/// left.
template <class T, std::size_t... I, std::size_t... J>
consteval bool takes_braces(std::index_sequence<I...>, std::index_sequence<J...>) {
  return requires { T{AnyMemberAt<T, I>{}..., {}, AnyMemberAt<T, J>{}...}; };
}
template <class T, std::size_t N, std::size_t... I>
consteval bool has_no_array(std::index_sequence<I...>) {
  return (takes_braces<T>(std::make_index_sequence<I>(), std::make_index_sequence<N - 1 - I>()) &&
          ...);
}

template <class T>
consteval bool is_plain_struct() {
  if constexpr (!std::is_aggregate_v<T> || !std::is_class_v<T> || std::is_empty_v<T> ||
                std::is_polymorphic_v<T> || requires { std::tuple_size<T>::value; }) {
    return false;
  } else {
    constexpr std::size_t n = count_initialisers<T>();
    if constexpr (n == 0 || n > max_members || requires { T{AnyBase<T>{}}; }) {
      return false;
    } else {
      return has_no_array<T, n>(std::make_index_sequence<n>());
    }
  }
}

template <std::size_t N>
using Count = std::integral_constant<std::size_t, N>;

template <class T, class F>
decltype(auto) visit(T& t, F f, Count<1>) {
  auto& [a] = t;
  return f(a);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<2>) {
  auto& [a, b] = t;
  return f(a, b);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<3>) {
  auto& [a, b, c] = t;
  return f(a, b, c);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<4>) {
  auto& [a, b, c, d] = t;
  return f(a, b, c, d);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<5>) {
  auto& [a, b, c, d, e] = t;
  return f(a, b, c, d, e);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<6>) {
  auto& [a, b, c, d, e, g] = t;
  return f(a, b, c, d, e, g);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<7>) {
  auto& [a, b, c, d, e, g, h] = t;
  return f(a, b, c, d, e, g, h);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<8>) {
  auto& [a, b, c, d, e, g, h, i] = t;
  return f(a, b, c, d, e, g, h, i);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<9>) {
  auto& [a, b, c, d, e, g, h, i, j] = t;
  return f(a, b, c, d, e, g, h, i, j);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<10>) {
  auto& [a, b, c, d, e, g, h, i, j, k] = t;
  return f(a, b, c, d, e, g, h, i, j, k);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<11>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<12>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l, m] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l, m);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<13>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l, m, n] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l, m, n);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<14>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l, m, n, o);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<15>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p);
}
template <class T, class F>
decltype(auto) visit(T& t, F f, Count<16>) {
  auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q] = t;
  return f(a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q);
}

/// Calls f with a reference to each member of the plain struct t.
template <class T, class F>
decltype(auto) visit_members(T& t, F f) {
  return visit(t, f, Count<count_initialisers<std::remove_const_t<T>>()>());
}

template <class... T>
struct TypeList {};
/// Only its type is used; but g++ -O0 emits a call for structs of unnamed namespaces.
struct ToTypeList {
  template <class... T>
  TypeList<T...> operator()(T&...) const {
    return {};
  }
};
/// The types of a plain struct's members. A const member keeps its const.
template <class T>
using MemberTypes = decltype(visit_members(std::declval<T&>(), ToTypeList{}));

}  // namespace procpool::inline v0::detail
