#include "thumbs/sheet.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "thumbs/scale.hpp"

namespace thumbs {
namespace {

using examples::Raster;
using Colour = std::array<std::uint8_t, 3>;

constexpr Colour kGround = {0xf6, 0xf5, 0xf4};
constexpr Colour kAmber = {0xf8, 0xe4, 0x5c};
constexpr Colour kAmberInk = {0xc6, 0x46, 0x00};
constexpr Colour kRed = {0xe0, 0x1b, 0x24};
constexpr Colour kRedInk = {0xff, 0xff, 0xff};

int margin(int cell) { return std::max(2, cell / 12); }

struct Cell {
  Raster& sheet;
  int left;
  int top;
  int size;

  std::uint8_t* at(int x, int y) const {
    return &sheet.bytes[examples::offset_of(sheet, left + x, top + y)];
  }
};

void paint(const Cell& cell, int x, int y, const Colour& colour) {
  std::copy(colour.begin(), colour.end(), cell.at(x, y));
}

std::uint8_t blend(std::uint8_t over, std::uint8_t under, std::uint8_t alpha) {
  const float a = static_cast<float>(alpha) / 255;
  return to_srgb(to_linear(over) * a + to_linear(under) * (1 - a));
}

void draw(const Cell& cell, const Thumbnail& thumbnail) {
  const Raster& image = thumbnail.image;
  const int left = (cell.size - image.width) / 2;
  const int top = (cell.size - image.height) / 2;
  const std::uint8_t* from = image.bytes.data();
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x, from += 4) {
      if (from[3] == 0) continue;
      std::uint8_t* to = cell.at(left + x, top + y);
      for (int c = 0; c < 3; ++c) to[c] = from[3] == 255 ? from[c] : blend(from[c], to[c], from[3]);
    }
  }
}

// A card within the margins, with ink where `inked` says so; x and y run from -1 to 1 across it.
template <class Inked>
void draw_card(const Cell& cell, const Colour& card, const Colour& ink, Inked inked) {
  const int edge = margin(cell.size);
  const float half = static_cast<float>(cell.size - 2 * edge) / 2;
  const float middle = static_cast<float>(cell.size - 1) / 2;
  for (int y = edge; y < cell.size - edge; ++y) {
    for (int x = edge; x < cell.size - edge; ++x) {
      const bool on =
          inked((static_cast<float>(x) - middle) / half, (static_cast<float>(y) - middle) / half);
      paint(cell, x, y, on ? ink : card);
    }
  }
}

void draw(const Cell& cell, const Refused&) {
  draw_card(cell, kAmber, kAmberInk,
            [](float x, float y) { return std::abs(x) < 0.6F && std::abs(y) < 0.14F; });
}

void draw(const Cell& cell, const Killed&) {
  draw_card(cell, kRed, kRedInk, [](float x, float y) {
    return std::abs(std::abs(x) - std::abs(y)) < 0.2F && std::max(std::abs(x), std::abs(y)) < 0.6F;
  });
}

void draw(const Cell&, const NotRun&) {}

int columns_for(std::size_t cells) {
  return std::max(1, static_cast<int>(std::ceil(std::sqrt(static_cast<double>(cells) * 1.6))));
}

Raster blank(int width, int height) {
  Raster sheet = examples::make_raster(width, height, 3);
  for (std::size_t i = 0; i < sheet.bytes.size(); ++i) sheet.bytes[i] = kGround[i % 3];
  return sheet;
}

}  // namespace

int box_in(int cell) { return cell - 2 * margin(cell); }

Raster lay_out(const std::vector<const Outcome*>& outcomes, int cell) {
  const int columns = columns_for(outcomes.size());
  const int rows = std::max(1, (static_cast<int>(outcomes.size()) + columns - 1) / columns);
  Raster sheet = blank(columns * cell, rows * cell);
  int place = 0;
  for (const Outcome* outcome : outcomes) {
    const Cell here{sheet, place % columns * cell, place / columns * cell, cell};
    std::visit([&here](const auto& what) { draw(here, what); }, *outcome);
    ++place;
  }
  return sheet;
}

std::vector<const Outcome*> undamaged(const std::vector<Item>& items,
                                      const std::vector<Outcome>& outcomes) {
  std::vector<const Outcome*> chosen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].damaged) chosen.push_back(&outcomes[i]);
  }
  return chosen;
}

}  // namespace thumbs
