#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace examples {

// An image in memory: rows from the top, `channels` bytes per pixel (3: RGB, 4: RGBA with straight
// alpha), sRGB. An aggregate, so it travels between processes as it is.
struct Raster {
  int width = 0;
  int height = 0;
  int channels = 4;
  std::vector<std::uint8_t> bytes = {};

  bool operator==(const Raster&) const = default;
};

inline std::size_t offset_of(const Raster& image, int x, int y) {
  const auto row = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width);
  return (row + static_cast<std::size_t>(x)) * static_cast<std::size_t>(image.channels);
}

inline Raster make_raster(int width, int height, int channels) {
  Raster image{width, height, channels, {}};
  image.bytes.resize(offset_of(image, 0, height));
  return image;
}

}  // namespace examples
