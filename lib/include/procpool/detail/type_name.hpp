#pragma once

// The names of types in signatures. They say how a value crosses, in the same words whoever compiled
// them: numbers by kind and size (`long long` is "long"), standard templates with what they carry and
// without allocators and the like, plain structs with their members, other classes by their name.

#include <procpool/detail/can_carry.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <ratio>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

namespace procpool::inline v0::detail {

/// "app::Point", "std::vector<int, std::allocator<int>>".
std::string class_name(const std::type_info& type);
/// "std::vector": what stands before the arguments of a template.
std::string template_name(const std::type_info& type);

template <class T>
consteval std::string_view number_name() {
  constexpr std::string_view integers[2][4] = {
      {"unsigned char", "unsigned short", "unsigned", "unsigned long"},
      {"signed char", "short", "int", "long"}};
  if constexpr (std::same_as<T, bool>) return "bool";
  if constexpr (std::same_as<T, char>) return "char";
  if constexpr (std::same_as<T, wchar_t>) return "wchar_t";
  if constexpr (std::same_as<T, char8_t>) return "char8_t";
  if constexpr (std::same_as<T, char16_t>) return "char16_t";
  if constexpr (std::same_as<T, char32_t>) return "char32_t";
  if constexpr (std::same_as<T, float>) return "float";
  if constexpr (std::same_as<T, double>) return "double";
  if constexpr (std::same_as<T, long double>) return "long double";
  constexpr std::size_t log2 = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  return integers[std::is_signed_v<T>][log2];
}

/// `Outer` are the structs that T is named as a part of: a struct may hold a vector of itself.
template <class T, class... Outer>
std::string type_name();

template <class... Outer, class... T>
std::string type_names(TypeList<T...>) {
  std::string names;
  ((names += (names.empty() ? "" : ", ") + type_name<std::remove_const_t<T>, Outer...>()), ...);
  return names;
}

/// What else of a standard template's arguments tells how it crosses.
template <class T>
struct Rest {
  static std::string name() { return {}; }
};
template <class T, std::size_t N>
struct Rest<std::array<T, N>> {
  static std::string name() { return ", " + std::to_string(N); }
};
template <class R, class P>
struct Rest<std::chrono::duration<R, P>> {
  static std::string name() {
    return ", " + std::to_string(P::num) + "/" + std::to_string(P::den);
  }
};
template <class C, class D>
struct Rest<std::chrono::time_point<C, D>> {
  static std::string name() { return ", " + class_name(typeid(C)); }
};

template <class T, class... Outer>
std::string type_name() {
  if constexpr (std::is_void_v<T>) {
    return "void";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::string(number_name<T>());
  } else if constexpr (std::is_enum_v<T>) {
    return class_name(typeid(T)) + ":" + type_name<std::underlying_type_t<T>>();
  } else if constexpr ((std::same_as<T, Outer> || ...)) {
    return class_name(typeid(T));
  } else if constexpr (std::same_as<T, std::string>) {
    return "std::string";
  } else if constexpr (Parts<T>::known) {
    return template_name(typeid(T)) + "<" +
           type_names<Outer...>(typename Parts<T>::List()) + Rest<T>::name() + ">";
  } else if constexpr (PlainStruct<T>) {
    return class_name(typeid(T)) + "{" + type_names<T, Outer...>(MemberTypes<T>()) + "}";
  } else {
    return class_name(typeid(T));
  }
}

}  // namespace procpool::inline v0::detail
