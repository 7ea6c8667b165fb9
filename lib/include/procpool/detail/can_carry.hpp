#pragma once

// Which types the archives carry, in both directions, known without instantiating any of it.

#include <procpool/detail/archive_types.hpp>

#include <chrono>
#include <complex>
#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <valarray>
#include <variant>

namespace procpool::inline v0::detail {

template <class T, class... Outer>
consteval bool carries();

/// For a standard template: are its parts carried? `known` says whether there is an entry at all.
template <class T>
struct Parts {
  static constexpr bool known = false;
};
template <class... T>
struct CarriedIf {
  using List = TypeList<T...>;
  static constexpr bool known = true;
  template <class... Outer>
  static consteval bool all() {
    return (carries<T, Outer...>() && ...);
  }
};

template <class T, class A>
struct Parts<std::vector<T, A>> : CarriedIf<T> {};
template <class T, class A>
struct Parts<std::deque<T, A>> : CarriedIf<T> {};
template <class T, class A>
struct Parts<std::list<T, A>> : CarriedIf<T> {};
template <class T, class A>
struct Parts<std::forward_list<T, A>> : CarriedIf<T> {};
template <class T, class P, class A>
struct Parts<std::basic_string<T, P, A>> : CarriedIf<T> {};
template <class T>
struct Parts<std::valarray<T>> : CarriedIf<T> {};
template <class T, std::size_t N>
struct Parts<std::array<T, N>> : CarriedIf<T> {};
template <class T, class C>
struct Parts<std::queue<T, C>> : CarriedIf<C> {};
template <class T, class C>
struct Parts<std::stack<T, C>> : CarriedIf<C> {};
template <class T, class C, class L>
struct Parts<std::priority_queue<T, C, L>> : CarriedIf<C, L> {};
template <class K, class C, class A>
struct Parts<std::set<K, C, A>> : CarriedIf<K> {};
template <class K, class C, class A>
struct Parts<std::multiset<K, C, A>> : CarriedIf<K> {};
template <class K, class H, class E, class A>
struct Parts<std::unordered_set<K, H, E, A>> : CarriedIf<K> {};
template <class K, class H, class E, class A>
struct Parts<std::unordered_multiset<K, H, E, A>> : CarriedIf<K> {};
template <class K, class V, class C, class A>
struct Parts<std::map<K, V, C, A>> : CarriedIf<K, V> {};
template <class K, class V, class C, class A>
struct Parts<std::multimap<K, V, C, A>> : CarriedIf<K, V> {};
template <class K, class V, class H, class E, class A>
struct Parts<std::unordered_map<K, V, H, E, A>> : CarriedIf<K, V> {};
template <class K, class V, class H, class E, class A>
struct Parts<std::unordered_multimap<K, V, H, E, A>> : CarriedIf<K, V> {};
template <class T>
struct Parts<std::optional<T>> : CarriedIf<T> {};
template <class... T>
struct Parts<std::variant<T...>> : CarriedIf<T...> {};
template <class... T>
struct Parts<std::tuple<T...>> : CarriedIf<T...> {};
template <class A, class B>
struct Parts<std::pair<A, B>> : CarriedIf<A, B> {};
template <class T>
struct Parts<std::complex<T>> : CarriedIf<T> {};
template <class R, class P>
struct Parts<std::chrono::duration<R, P>> : CarriedIf<R> {};
template <class C, class D>
struct Parts<std::chrono::time_point<C, D>> : CarriedIf<D> {};
template <class... T>
struct Parts<TypeList<T...>> : CarriedIf<T...> {};

/// What a smart pointer points to may be abstract, or made by load_and_construct.
template <class T>
struct Pointee {
  using List = TypeList<T>;
  static constexpr bool known = true;
  template <class... Outer>
  static consteval bool all() {
    if constexpr (std::is_polymorphic_v<T>) {
      return true;
    } else if constexpr (cereal::traits::has_load_and_construct<T, SpanIn>::value) {
      return true;
    } else {
      return carries<T, Outer...>();
    }
  }
};
template <class T>
struct Parts<std::unique_ptr<T>> : Pointee<T> {};
template <class T>
struct Parts<std::shared_ptr<T>> : Pointee<T> {};
template <class T>
struct Parts<std::weak_ptr<T>> : Pointee<T> {};

template <class T, class... Outer>
consteval bool carries_class() {
  if constexpr (Parts<T>::known) {
    return Parts<T>::template all<Outer...>();
  } else if constexpr (!std::default_initializable<T>) {
    return false;
  } else if constexpr (PlainStruct<T>) {
    return Parts<MemberTypes<T>>::template all<T, Outer...>();
  } else {
    return std::is_empty_v<T> || (cereal::traits::is_output_serializable<T, SpanOut>::value &&
                                  cereal::traits::is_input_serializable<T, SpanIn>::value);
  }
}

/// `Outer` are the structs that T is looked at as a part of: a struct may hold a vector of itself.
template <class T, class... Outer>
consteval bool carries() {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return false;
  } else if constexpr ((std::same_as<T, Outer> || ...)) {
    return true;
  } else if constexpr (std::is_class_v<T>) {
    return carries_class<T, Outer...>();
  } else {
    return std::is_arithmetic_v<T> || std::is_enum_v<T>;
  }
}

/// T can be encoded, and decoded into a T of its own.
template <class T>
concept archive_can_carry = carries<T>();

}  // namespace procpool::inline v0::detail
