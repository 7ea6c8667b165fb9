#include "thumbs/scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace thumbs {
namespace {

using examples::Raster;
using Pixel = std::array<float, 4>;  // linear, premultiplied by alpha

std::array<float, 256> linear_values() {
  std::array<float, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double v = static_cast<double>(i) / 255;
    table[i] = static_cast<float>(v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return table;
}

// Which pixels of the source one pixel of the result covers, the first and last ones in part.
struct Span {
  int first;
  std::vector<float> weights;
};

std::vector<Span> spans(int from, int to) {
  const double step = static_cast<double>(from) / to;
  std::vector<Span> result;
  for (int i = 0; i < to; ++i) {
    const double begin = i * step;
    const double end = std::min<double>(from, begin + step);
    Span span{static_cast<int>(begin), {}};
    for (int s = span.first; s < end; ++s) {
      const double covered = std::min<double>(end, s + 1) - std::max<double>(begin, s);
      span.weights.push_back(static_cast<float>(covered / step));
    }
    result.push_back(std::move(span));
  }
  return result;
}

void add(Pixel& sum, const Pixel& value, float weight) {
  for (std::size_t c = 0; c < 4; ++c) sum[c] += weight * value[c];
}

Pixel load(const std::uint8_t* rgba) {
  const float alpha = static_cast<float>(rgba[3]) / 255;
  return {to_linear(rgba[0]) * alpha, to_linear(rgba[1]) * alpha, to_linear(rgba[2]) * alpha,
          alpha};
}

void store(const Pixel& value, std::uint8_t* rgba) {
  const float alpha = value[3];
  for (std::size_t c = 0; c < 3; ++c) rgba[c] = alpha > 0 ? to_srgb(value[c] / alpha) : 0;
  rgba[3] = static_cast<std::uint8_t>(std::lround(std::clamp(alpha, 0.0F, 1.0F) * 255));
}

std::vector<Pixel> narrow_row(const Raster& image, int y, const std::vector<Span>& columns) {
  std::vector<Pixel> row(columns.size(), Pixel{});
  for (std::size_t x = 0; x < columns.size(); ++x) {
    const std::uint8_t* from = &image.bytes[examples::offset_of(image, columns[x].first, y)];
    for (const float weight : columns[x].weights) {
      add(row[x], load(from), weight);
      from += 4;
    }
  }
  return row;
}

std::vector<Pixel> average_rows(const Raster& image, const Span& rows,
                                const std::vector<Span>& columns) {
  std::vector<Pixel> sum(columns.size(), Pixel{});
  int y = rows.first;
  for (const float weight : rows.weights) {
    const std::vector<Pixel> row = narrow_row(image, y++, columns);
    for (std::size_t x = 0; x < sum.size(); ++x) add(sum[x], row[x], weight);
  }
  return sum;
}

int scaled(int length, int longest, int box) {
  return std::max(1, static_cast<int>(std::lround(double{1} * length * box / longest)));
}

}  // namespace

float to_linear(std::uint8_t value) {
  static const std::array<float, 256> table = linear_values();
  return table[value];
}

std::uint8_t to_srgb(float linear) {
  const float v = std::clamp(linear, 0.0F, 1.0F);
  const float s = v <= 0.0031308F ? v * 12.92F : 1.055F * std::pow(v, 1 / 2.4F) - 0.055F;
  return static_cast<std::uint8_t>(std::lround(s * 255));
}

Raster fit(const Raster& image, int box) {
  const int longest = std::max(image.width, image.height);
  if (longest <= box) return image;
  Raster result = examples::make_raster(scaled(image.width, longest, box),
                                        scaled(image.height, longest, box), 4);
  const std::vector<Span> columns = spans(image.width, result.width);
  const std::vector<Span> rows = spans(image.height, result.height);
  std::uint8_t* to = result.bytes.data();
  for (const Span& span : rows) {
    for (const Pixel& pixel : average_rows(image, span, columns)) {
      store(pixel, to);
      to += 4;
    }
  }
  return result;
}

}  // namespace thumbs
