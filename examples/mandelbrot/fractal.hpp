#pragma once

#include <cstdint>
#include <vector>

namespace mandelbrot {

// What of the plane is seen, and how large the picture is.
struct View {
  double x = 0;  // the middle
  double y = 0;
  double span = 0;  // width of the picture in the plane
  int width = 0;    // and in pixels
  int height = 0;
  int iterations = 0;
};

struct Tile {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

struct Painted {
  Tile tile = {};
  std::vector<std::uint8_t> rgb = {};  // its rows, from the top
};

// The picture in squares; those at the right and at the bottom may be narrower.
std::vector<Tile> tiles_of(const View& view);

// The task: computes the colours of one tile. View, tile and result are aggregates, so they travel
// as they are.
Painted paint(const View& view, const Tile& tile);

}  // namespace mandelbrot
