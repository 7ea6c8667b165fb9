#pragma once

// What the compiler calls a type. The language has no trait for closure types, so they are told
// from functors by their names.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace procpool::inline v0::detail {

template <class T>
consteval std::string_view spelled_with() {
  return __PRETTY_FUNCTION__;
}

/// The type as the compiler spells it. What stands around it is measured with a known one.
template <class T>
consteval std::string_view type_text() {
  constexpr std::string_view known = spelled_with<double>();
  constexpr std::size_t before = known.find("double");
  constexpr std::size_t after = known.size() - before - 6;
  std::string_view text = spelled_with<T>();
  text.remove_prefix(before);
  text.remove_suffix(after);
  return text;
}

/// g++ writes main()::<lambda(int)>, clang++ (lambda at file.cpp:3:5). A template over a closure
/// type has its name inside its own brackets.
template <class T>
consteval bool is_closure() {
  constexpr std::string_view text = type_text<T>();
  if (text.starts_with("(lambda at ")) return true;
  constexpr std::size_t at = text.find("<lambda(");
  if (at == std::string_view::npos) return false;
  constexpr std::string_view scope = text.substr(0, at);
  return std::ranges::count(scope, '<') == std::ranges::count(scope, '>');
}

}  // namespace procpool::inline v0::detail
