#pragma once

#include <string>
#include <variant>
#include <vector>

#include "thumbs/thumbnail.hpp"

namespace thumbs {

struct Refused {     // a decoder threw
  std::string type;  // of the exception, as it was caught here
  std::string text;  // from the worker
};

struct Killed {     // it took its worker along, each time it was tried
  std::string how;  // "SIGSEGV", "exit code 3"
  int worker = 0;
  unsigned attempt = 0;
};

struct NotRun {};

using Outcome = std::variant<NotRun, Thumbnail, Refused, Killed>;

}  // namespace thumbs
