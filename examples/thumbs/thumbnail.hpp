#pragma once

#include <string>

#include "support/raster.hpp"

namespace thumbs {

// What comes home from a worker for one file. An aggregate: it travels as it is.
struct Thumbnail {
  examples::Raster image = {};
  std::string decoder = {};
  int process = 0;  // who made it
};

// The task: decodes the file and makes it fit into box x box pixels.
Thumbnail make_thumbnail(int box, const std::string& file);

}  // namespace thumbs
