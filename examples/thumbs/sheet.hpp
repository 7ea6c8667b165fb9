#pragma once

#include <vector>

#include "support/raster.hpp"
#include "thumbs/inputs.hpp"
#include "thumbs/outcome.hpp"

namespace thumbs {

// The largest thumbnail that fits into a cell of that many pixels, its margin left free.
int box_in(int cell);

// One cell for each outcome, in their order: a thumbnail in its middle, an amber cell with a bar
// for a refused file, a red one with a cross for a file that killed its worker.
examples::Raster lay_out(const std::vector<const Outcome*>& outcomes, int cell);

// The outcomes of the files that we did not damage.
std::vector<const Outcome*> undamaged(const std::vector<Item>& items,
                                      const std::vector<Outcome>& outcomes);

}  // namespace thumbs
