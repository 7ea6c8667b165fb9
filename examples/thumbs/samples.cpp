#include "thumbs/samples.hpp"

#include <array>
#include <cstdio>
#include <optional>
#include <system_error>

#include "support/files.hpp"
#include "thumbs/decode.hpp"
#include "thumbs/encode.hpp"

namespace thumbs {
namespace {

constexpr int kTries = 50;

// In this process, so by the two careful decoders only.
std::optional<Sample> try_sample(const std::string& file) {
  try {
    const std::filesystem::path path(file);
    if (path.extension() == ".png") {
      return Sample{decode_png(file, examples::read_file(path)), path.stem()};
    }
    if (path.extension() == ".jpg") {
      return Sample{decode_jpeg(file, examples::read_file(path)), path.stem()};
    }
  } catch (const DecodeError&) {
    return std::nullopt;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

Sample drawn_picture() {
  examples::Raster image = examples::make_raster(64, 64, 4);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      std::uint8_t* pixel = &image.bytes[examples::offset_of(image, x, y)];
      pixel[0] = static_cast<std::uint8_t>(4 * x);
      pixel[1] = static_cast<std::uint8_t>(4 * y);
      pixel[2] = 160;
      pixel[3] = 255;
    }
  }
  return {std::move(image), "drawn"};
}

}  // namespace

Sample draw_sample(const std::vector<Item>& items, Random& random) {
  for (int i = 0; i < kTries && !items.empty(); ++i) {
    if (auto sample = try_sample(items[random() % items.size()].file)) return *std::move(sample);
  }
  return drawn_picture();
}

Item numbered(const std::filesystem::path& folder, std::size_t number, const std::string& rest) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%04zu-", number);
  const std::filesystem::path file = folder / (digits + rest);
  return {file.string(), folder.filename() / file.filename()};
}

std::vector<Item> convert_some(const std::vector<Item>& items, std::size_t count,
                               const std::filesystem::path& folder, Random& random) {
  constexpr std::array kFormats = {Format::tga, Format::ppm, Format::jpeg};
  std::filesystem::create_directory(folder);
  std::vector<Item> converted;
  for (std::size_t i = 0; i < count; ++i) {
    const Format format = kFormats[i % kFormats.size()];
    const Sample sample = draw_sample(items, random);
    converted.push_back(numbered(folder, i, sample.stem + extension(format)));
    examples::write_file(converted.back().file, encode(sample.image, format));
  }
  return converted;
}

}  // namespace thumbs
