#pragma once

#include <optional>
#include <regex>
#include <string>

namespace bench {

struct Options {
  std::string json;   // empty: none
  std::string plots;  // a folder; empty: none
  std::string filter_text;
  std::regex filter{".*"};  // of contests' names
  bool quick = false;
};

/// Empty: the program is to end with `status`; what there was to say has been said.
std::optional<Options> read_options(int argc, char** argv, int& status);

}  // namespace bench
