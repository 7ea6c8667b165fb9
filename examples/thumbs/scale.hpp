#pragma once

#include "support/raster.hpp"

namespace thumbs {

// The image (RGBA) made to fit into box x box pixels, its shape kept; a smaller one is left as it
// is. Area average in linear light, weighted by alpha, so that neither fine lines darken nor hidden
// colours bleed in.
examples::Raster fit(const examples::Raster& image, int box);

// 8-bit sRGB to linear light in 0..1, and back.
float to_linear(std::uint8_t value);
std::uint8_t to_srgb(float linear);

}  // namespace thumbs
