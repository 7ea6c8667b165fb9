#pragma once

#include <filesystem>

#include "support/raster.hpp"

namespace examples {

// The picture as the bytes of a PNG file. Equal rasters give equal bytes.
std::vector<std::uint8_t> encode_png(const Raster& image);

// Throws std::runtime_error that names the file and the reason.
void write_png(const std::filesystem::path& file, const Raster& image);

}  // namespace examples
