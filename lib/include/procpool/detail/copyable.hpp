#pragma once

// Whether a value can be copied, where std::is_copy_constructible does not know: a container of
// move-only elements says yes and then does not compile.

#include <tuple>
#include <type_traits>
#include <utility>

namespace procpool::inline v0::detail {

template <class T>
inline constexpr bool copyable = std::is_copy_constructible_v<T>;

template <class T>
requires requires { typename T::value_type; }
inline constexpr bool copyable<T> = [] {
  if constexpr (!std::is_copy_constructible_v<T>) {
    return false;
  } else if constexpr (std::is_same_v<typename T::value_type, T>) {
    return true;
  } else {
    return copyable<typename T::value_type>;
  }
}();

template <class First, class Second>
inline constexpr bool copyable<std::pair<First, Second>> = copyable<First>&& copyable<Second>;

template <class... T>
inline constexpr bool copyable<std::tuple<T...>> = (copyable<T> && ...);

}  // namespace procpool::inline v0::detail
