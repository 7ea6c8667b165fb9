#pragma once

// What a worker has written, in our messages.

#include <string>
#include <string_view>

namespace procpool::inline v0::supervisor {

/// Nothing in it drives a terminal: the worker may not have been itself any more.
inline std::string printable(std::string_view bytes) {
  std::string text(bytes);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && c != '\n' && c != '\t') || code == 0x7f) c = '?';
  }
  return text;
}

inline std::string indented(const std::string& lines) {
  std::string text = "\n    ";
  for (const char c : lines) {
    text += c;
    if (c == '\n') text += "    ";
  }
  return text;
}

}  // namespace procpool::inline v0::supervisor
