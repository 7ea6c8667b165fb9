#include "os/error.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace procpool::inline v0::os {

void fail(const char* call, std::string_view about) { fail_with(errno, call, about); }

void fail_with(int code, const char* call, std::string_view about) {
  std::string text = call;
  if (!about.empty()) text.append(": ").append(about);
  throw std::system_error(code, std::generic_category(), text);
}

}  // namespace procpool::inline v0::os
