#include "mandelbrot/colour.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace mandelbrot {
namespace {

struct Stop {
  double at;
  Light colour;
};

// Night blue, sky, ivory, amber, and back through a dark brown.
constexpr std::array<Stop, 6> kStops = {{
    {0.00, {0.002, 0.006, 0.060}},
    {0.18, {0.014, 0.150, 0.560}},
    {0.42, {0.840, 0.980, 1.000}},
    {0.62, {1.000, 0.420, 0.020}},
    {0.84, {0.080, 0.010, 0.004}},
    {1.00, {0.002, 0.006, 0.060}},
}};

double mix(double a, double b, double t) { return a + (b - a) * t; }

Light mix(const Light& a, const Light& b, double t) {
  return {mix(a.red, b.red, t), mix(a.green, b.green, t), mix(a.blue, b.blue, t)};
}

std::uint8_t to_srgb(double linear) {
  const double v = std::clamp(linear, 0.0, 1.0);
  const double s = v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(s * 255));
}

}  // namespace

void Light::add(const Light& other) {
  red += other.red;
  green += other.green;
  blue += other.blue;
}

Light Light::scaled(double factor) const { return {red * factor, green * factor, blue * factor}; }

void Light::store(std::uint8_t* rgb) const {
  rgb[0] = to_srgb(red);
  rgb[1] = to_srgb(green);
  rgb[2] = to_srgb(blue);
}

// The bands grow wider outwards, as the iterations grow fewer: hence the logarithm.
Light gradient(double iterations) {
  const double turns = 0.9 * std::log(std::max(1.0, iterations));
  const double at = turns - std::floor(turns);
  std::size_t next = 1;
  while (kStops[next].at < at) ++next;
  const Stop& before = kStops[next - 1];
  const double t = (at - before.at) / (kStops[next].at - before.at);
  return mix(before.colour, kStops[next].colour, t * t * (3 - 2 * t));
}

}  // namespace mandelbrot
