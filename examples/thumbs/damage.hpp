#pragma once

#include "thumbs/samples.hpp"

namespace thumbs {

// Writes `count` damaged files into the folder, which is made: random samples in one format after
// the other, cut short, with flipped bytes, or with absurd headers. What becomes of them:
// the PNGs are refused by libpng, the JPEGs by libjpeg (flipped bytes may pass there, as they do in
// life), files without a signature by everyone; the TGAs and PPMs kill the process that reads them,
// with SIGSEGV or SIGABRT.
std::vector<Item> damage_some(const std::vector<Item>& items, std::size_t count,
                              const std::filesystem::path& folder, Random& random);

}  // namespace thumbs
