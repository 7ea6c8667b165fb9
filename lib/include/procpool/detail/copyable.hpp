#pragma once

// Whether a value can be copied, where std::is_copy_constructible does not know: a container of
// move-only elements, and a struct with such a member, say yes and then do not compile.

#include <procpool/detail/aggregate.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace procpool::inline v0::detail {

template <class T>
struct PartsToCopy {
  using List = TypeList<>;
};
template <class T>
requires requires { typename T::value_type; }
struct PartsToCopy<T> {
  using List = TypeList<typename T::value_type>;
};
template <class T>
requires(is_plain_struct<T>() && !requires { typename T::value_type; })
struct PartsToCopy<T> {
  using List = MemberTypes<T>;
};
template <class First, class Second>
struct PartsToCopy<std::pair<First, Second>> {
  using List = TypeList<First, Second>;
};
template <class... T>
struct PartsToCopy<std::tuple<T...>> {
  using List = TypeList<T...>;
};
template <class... T>
struct PartsToCopy<std::variant<T...>> {
  using List = TypeList<T...>;
};

/// `Outer` are the types that T is looked at as a part of: a struct may hold a vector of itself.
template <class T, class... Outer>
consteval bool copies();

template <class... Outer, class... Part>
consteval bool all_copy(TypeList<Part...>) {
  return (copies<std::remove_cv_t<Part>, Outer...>() && ...);
}

template <class T, class... Outer>
consteval bool copies() {
  if constexpr ((std::same_as<T, Outer> || ...)) {
    return true;
  } else if constexpr (!std::is_copy_constructible_v<T>) {
    return false;
  } else {
    return all_copy<T, Outer...>(typename PartsToCopy<T>::List());
  }
}

template <class T>
inline constexpr bool copyable = copies<T>();

}  // namespace procpool::inline v0::detail
