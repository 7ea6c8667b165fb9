#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace thumbs {

// One file to decode.
struct Item {
  std::string file;      // where it lies
  std::string name;      // how the report calls it
  bool damaged = false;  // by us, on purpose
};

// The images below the paths, sorted, each once; a path that is a file is taken whatever it is
// called. With a limit, that many of them, evenly spread.
std::vector<Item> find_images(const std::vector<std::filesystem::path>& paths, std::size_t limit);

}  // namespace thumbs
