#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/raster.hpp"
#include "thumbs/inputs.hpp"

namespace thumbs {

using Random = std::mt19937_64;

struct Sample {
  examples::Raster image;  // RGBA
  std::string stem;        // of the file that it came from
};

// A random one of the PNG and JPEG files, decoded; a drawn picture where there is none.
Sample draw_sample(const std::vector<Item>& items, Random& random);

// Writes `count` random samples as TGA, PPM and JPEG files into the folder, which is made.
std::vector<Item> convert_some(const std::vector<Item>& items, std::size_t count,
                               const std::filesystem::path& folder, Random& random);

// "converted/0012-folder.tga"
Item numbered(const std::filesystem::path& folder, std::size_t number, const std::string& rest);

}  // namespace thumbs
