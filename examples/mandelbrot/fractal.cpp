#include "mandelbrot/fractal.hpp"

#include <algorithm>
#include <cmath>

#include "mandelbrot/colour.hpp"

namespace mandelbrot {
namespace {

constexpr int kTileSize = 48;
constexpr int kSamples = 2;  // per pixel, in each direction
constexpr double kFar =
    1e4;  // |z|^2 of a point that has escaped; large, so that colours are smooth

struct Point {
  double x;
  double y;
};

double squared(const Point& p) { return p.x * p.x + p.y * p.y; }

// a * b; std::complex spends most of its time on infinities.
Point times(const Point& a, const Point& b) {
  return {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x};
}

// Within the two largest parts of the set, whose points would take every iteration to prove it.
bool surely_inside(const Point& c) {
  const double y2 = c.y * c.y;
  const double q = (c.x - 0.25) * (c.x - 0.25) + y2;
  return q * (q + (c.x - 0.25)) <= 0.25 * y2 || (c.x + 1) * (c.x + 1) + y2 <= 0.0625;
}

// The light comes from the upper left onto a landscape whose slope is that of the potential.
double light_on(const Point& z, const Point& slope) {
  constexpr double kHeight = 1.5;
  const double size = squared(slope);
  Point normal = times(z, {slope.x / size, -slope.y / size});
  const double length = std::sqrt(squared(normal));
  normal = {normal.x / length, normal.y / length};
  const double light = (std::sqrt(0.5) * (normal.y - normal.x) + kHeight) / (1 + kHeight);
  return std::max(0.0, light);
}

Light sample(const Point& c, int iterations) {
  if (surely_inside(c)) return {};
  Point z{0, 0};
  Point slope{0, 0};
  for (int i = 0; i < iterations; ++i) {
    slope = times(z, slope);
    slope = {2 * slope.x + 1, 2 * slope.y};
    z = times(z, z);
    z = {z.x + c.x, z.y + c.y};
    if (squared(z) > kFar) {
      const double smooth = i + 1 - std::log2(std::log(squared(z)) / std::log(kFar));
      return gradient(smooth).scaled(0.35 + 0.65 * light_on(z, slope));
    }
  }
  return {};
}

void paint_pixel(const View& view, int x, int y, std::uint8_t* rgb) {
  const double step = view.span / view.width;
  Light sum;
  for (int sy = 0; sy < kSamples; ++sy) {
    for (int sx = 0; sx < kSamples; ++sx) {
      const double dx = x + (sx + 0.5) / kSamples - view.width / 2.0;
      const double dy = y + (sy + 0.5) / kSamples - view.height / 2.0;
      sum.add(sample({view.x + dx * step, view.y - dy * step}, view.iterations));
    }
  }
  sum.scaled(1.0 / (kSamples * kSamples)).store(rgb);
}

}  // namespace

std::vector<Tile> tiles_of(const View& view) {
  std::vector<Tile> tiles;
  for (int top = 0; top < view.height; top += kTileSize) {
    for (int left = 0; left < view.width; left += kTileSize) {
      tiles.push_back({left, top, std::min(kTileSize, view.width - left),
                       std::min(kTileSize, view.height - top)});
    }
  }
  return tiles;
}

Painted paint(const View& view, const Tile& tile) {
  Painted painted{tile, {}};
  painted.rgb.resize(3 * static_cast<std::size_t>(tile.width) *
                     static_cast<std::size_t>(tile.height));
  std::uint8_t* to = painted.rgb.data();
  for (int y = 0; y < tile.height; ++y) {
    for (int x = 0; x < tile.width; ++x, to += 3) {
      paint_pixel(view, tile.left + x, tile.top + y, to);
    }
  }
  return painted;
}

}  // namespace mandelbrot
