#pragma once

#include <cstdint>

namespace mandelbrot {

// A colour in linear light, so that samples may be added.
struct Light {
  double red = 0;
  double green = 0;
  double blue = 0;

  void add(const Light& other);
  Light scaled(double factor) const;
  void store(std::uint8_t* rgb) const;  // as sRGB
};

// The colour of a point that escaped after that many iterations, fractions included.
Light gradient(double iterations);

}  // namespace mandelbrot
