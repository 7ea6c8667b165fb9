#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "support/options.hpp"

namespace thumbs {

struct Options {
  examples::CommonOptions common = {.out = "contact-sheet.png"};
  std::vector<std::filesystem::path> paths = {};  // directories, or single files
  std::size_t convert = 120;                      // samples written as TGA, PPM and JPEG
  std::size_t damage = 0;                         // damaged copies
  std::size_t chaos = 0;                          // workers to SIGKILL
  std::size_t limit = 0;                          // of the files that were found; 0: all
  std::uint64_t seed = 1;
  int cell = 48;  // pixels, of a square cell
  bool verbose = false;
};

// A value is the exit status with which to end now.
std::optional<int> read_options(int argc, char** argv, Options& options);

}  // namespace thumbs
