#include "support/png.hpp"

#include <png.h>

#include <stdexcept>
#include <string>

#include "support/files.hpp"

namespace examples {
namespace {

png_image describe(const Raster& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  header.flags = PNG_IMAGE_FLAG_FAST;
  return header;
}

[[noreturn]] void fail(const png_image& header) {
  throw std::runtime_error(std::string("libpng cannot write the picture: ") + header.message);
}

}  // namespace

std::vector<std::uint8_t> encode_png(const Raster& image) {
  png_image header = describe(image);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::uint8_t> bytes(size);
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, image.bytes.data(), 0, nullptr) ==
      0) {
    fail(header);
  }
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& file, const Raster& image) {
  write_file(file, encode_png(image));
}

}  // namespace examples
