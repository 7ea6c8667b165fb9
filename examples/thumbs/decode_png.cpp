#include <png.h>

#include "thumbs/decode.hpp"

namespace thumbs {
namespace {

constexpr const char* kName = "libpng";

// libpng's own memory for one picture; freed on every way out.
struct Reader {
  png_image header{};

  Reader() { header.version = PNG_IMAGE_VERSION; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_image_free(&header); }
};

}  // namespace

// The simplified interface keeps libpng's setjmp inside libpng: errors come back as a result.
examples::Raster decode_png(const std::string& file, Bytes bytes) {
  Reader reader;
  png_image& header = reader.header;
  if (png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) == 0) {
    throw DecodeError(file, kName, header.message);
  }
  check_size(file, kName, header.width, header.height);
  header.format = PNG_FORMAT_RGBA;
  examples::Raster image =
      examples::make_raster(static_cast<int>(header.width), static_cast<int>(header.height), 4);
  if (png_image_finish_read(&header, nullptr, image.bytes.data(), 0, nullptr) == 0) {
    throw DecodeError(file, kName, header.message);
  }
  return image;
}

}  // namespace thumbs
