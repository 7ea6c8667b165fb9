#include "thumbs/decode.hpp"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <string_view>

#include "support/files.hpp"

namespace thumbs {
namespace {

constexpr std::uint64_t kMostPixels = 100'000'000;

bool starts_with(Bytes bytes, std::initializer_list<int> magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](int wanted, std::uint8_t found) { return wanted == found; });
}

std::string unknown_text(Bytes bytes) {
  if (bytes.empty()) return "the file is empty";
  std::string text = "no decoder knows a file that begins with";
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(8, bytes.size()))) {
    char hex[8];
    std::snprintf(hex, sizeof hex, " %02x", byte);
    text += hex;
  }
  return text;
}

}  // namespace

void check_size(const std::string& file, const std::string& decoder, std::uint64_t width,
                std::uint64_t height) {
  if (width * height <= kMostPixels) return;
  throw DecodeError(file, decoder,
                    std::to_string(width) + " x " + std::to_string(height) +
                        " pixels are more than the " + std::to_string(kMostPixels) + " allowed");
}

Decoded decode(const std::string& file) {
  const std::vector<std::uint8_t> bytes = examples::read_file(file);
  if (starts_with(bytes, {0x89, 'P', 'N', 'G'})) return {decode_png(file, bytes), "libpng"};
  if (starts_with(bytes, {0xff, 0xd8, 0xff})) return {decode_jpeg(file, bytes), "libjpeg-turbo"};
  if (starts_with(bytes, {'P', '6'})) return {decode_ppm_naively(bytes), "naive PPM reader"};
  if (file.ends_with(".tga")) return {decode_tga_naively(bytes), "naive TGA reader"};
  throw UnknownFormat(file, unknown_text(bytes));
}

}  // namespace thumbs
