#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/type_name.hpp>

#include <string>
#include <string_view>
#include <typeinfo>

#include "os/symbols.hpp"

namespace procpool::inline v0::detail {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// g++: main()::<lambda(int)> → main()::lambda(int).
void bare_lambda(std::string& text) {
  constexpr std::string_view mark = "<lambda(";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; ++at) {
    const std::size_t close = text.find(")>", at);
    if (close != std::string::npos) text.erase(close + 1, 1);
    text.erase(at, 1);
  }
}

/// clang++: (lambda at /src/app/main.cpp:3:5) → lambda(main.cpp:3).
void short_lambda(std::string& text) {
  constexpr std::string_view mark = "(lambda at ";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; ++at) {
    const std::size_t close = text.find(')', at);
    const std::size_t column = text.rfind(':', close);
    if (close == std::string::npos || column == std::string::npos || column < at) return;
    text.erase(column, close - column);
    const std::size_t begin = at + mark.size();
    const std::size_t slash = text.rfind('/', column);
    const std::size_t file = slash == std::string::npos || slash < begin ? begin : slash + 1;
    text.replace(at, file - at, "lambda(");
  }
}

}  // namespace

std::string readable_type(std::string_view compilers_text) {
  std::string text(compilers_text);
  bare_lambda(text);
  short_lambda(text);
  replace_all(text, "std::__cxx11::", "std::");
  replace_all(text, "std::chrono::_V2::", "std::chrono::");
  replace_all(text, ", std::char_traits<char>", "");
  replace_all(text, " >", ">");
  replace_all(text, "std::basic_string<char, std::allocator<char>>", "std::string");
  replace_all(text, "std::basic_string_view<char>", "std::string_view");
  replace_all(text, "std::basic_string<char>", "std::string");
  replace_all(text, "procpool::v0::", "procpool::");
  replace_all(text, "{anonymous}::", "");
  replace_all(text, "(anonymous namespace)::", "");
  return text;
}

// Mangled names are the ABI's, and the demangler is the library's: the compiler has no say.
std::string class_name(const std::type_info& type) {
  return readable_type(os::demangle(type.name()));
}
std::string template_name(const std::type_info& type) {
  const std::string name = class_name(type);
  return name.substr(0, name.find('<'));
}

}  // namespace procpool::inline v0::detail
