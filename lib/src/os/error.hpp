#pragma once

// How a failed system call becomes an exception: its name and what it was about, always.

#include <string_view>

namespace procpool::inline v0::os {

/// Throws std::system_error with errno's code and "call: about: reason" as its text.
[[noreturn]] void fail(const char* call, std::string_view about = {});
[[noreturn]] void fail_with(int code, const char* call, std::string_view about = {});

/// Checks the result of a call that reports failure by -1.
template <class T>
T check(T result, const char* call, std::string_view about = {}) {
  if (result == T(-1)) fail(call, about);
  return result;
}

}  // namespace procpool::inline v0::os
