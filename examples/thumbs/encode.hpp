#pragma once

#include <cstdint>
#include <vector>

#include "support/raster.hpp"

namespace thumbs {

enum class Format { png, jpeg, tga, ppm };

const char* extension(Format format);

// The image (RGBA) as the bytes of a file. JPEG and PPM have no alpha: they get a white ground.
std::vector<std::uint8_t> encode(const examples::Raster& image, Format format);

}  // namespace thumbs
