#include "thumbs/encode.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/png.hpp"
#include "thumbs/jpeg_errors.hpp"

namespace thumbs {
namespace {

using examples::Raster;
using Bytes = std::vector<std::uint8_t>;

Raster on_white(const Raster& image) {
  Raster result = examples::make_raster(image.width, image.height, 3);
  std::uint8_t* to = result.bytes.data();
  for (std::size_t at = 0; at < image.bytes.size(); at += 4) {
    const int alpha = image.bytes[at + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      *to++ = static_cast<std::uint8_t>((image.bytes[at + c] * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return result;
}

Bytes encode_ppm(const Raster& rgb) {
  const std::string header =
      "P6\n" + std::to_string(rgb.width) + " " + std::to_string(rgb.height) + "\n255\n";
  Bytes bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), rgb.bytes.begin(), rgb.bytes.end());
  return bytes;
}

void put_little_endian(Bytes& bytes, std::size_t at, int number) {
  bytes[at] = static_cast<std::uint8_t>(number & 255);
  bytes[at + 1] = static_cast<std::uint8_t>(number >> 8 & 255);
}

// True colour, 32 bits, rows from the bottom: the kind that most programs write.
Bytes encode_tga(const Raster& rgba) {
  Bytes bytes(18);
  bytes[2] = 2;
  put_little_endian(bytes, 12, rgba.width);
  put_little_endian(bytes, 14, rgba.height);
  bytes[16] = 32;
  bytes[17] = 8;
  for (int y = rgba.height - 1; y >= 0; --y) {
    for (int x = 0; x < rgba.width; ++x) {
      const std::uint8_t* p = &rgba.bytes[examples::offset_of(rgba, x, y)];
      for (const std::size_t c : {2U, 1U, 0U, 3U}) bytes.push_back(p[c]);
    }
  }
  return bytes;
}

class JpegWriter {
 public:
  JpegWriter() {
    codec_.err = errors_.install();
    jpeg_create_compress(&codec_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&codec_);
    std::free(memory_);
  }

  bool write(const Raster& rgb) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_mem_dest(&codec_, &memory_, &size_);
    begin(rgb);
    while (codec_.next_scanline < codec_.image_height) {
      const auto y = static_cast<int>(codec_.next_scanline);
      auto* row = const_cast<std::uint8_t*>(&rgb.bytes[examples::offset_of(rgb, 0, y)]);
      jpeg_write_scanlines(&codec_, &row, 1);
    }
    jpeg_finish_compress(&codec_);
    return true;
  }

  Bytes bytes() const { return {memory_, memory_ + size_}; }
  const char* error() const { return errors_.text; }

 private:
  void begin(const Raster& rgb) {
    codec_.image_width = static_cast<JDIMENSION>(rgb.width);
    codec_.image_height = static_cast<JDIMENSION>(rgb.height);
    codec_.input_components = 3;
    codec_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec_);
    jpeg_set_quality(&codec_, 92, TRUE);
    jpeg_start_compress(&codec_, TRUE);
  }

  JpegErrors errors_;
  jpeg_compress_struct codec_{};
  unsigned char* memory_ = nullptr;
  unsigned long size_ = 0;
};

Bytes encode_jpeg(const Raster& rgb) {
  JpegWriter writer;
  if (!writer.write(rgb)) throw std::runtime_error(std::string("libjpeg: ") + writer.error());
  return writer.bytes();
}

}  // namespace

const char* extension(Format format) {
  switch (format) {
    case Format::png:
      return ".png";
    case Format::jpeg:
      return ".jpg";
    case Format::tga:
      return ".tga";
    case Format::ppm:
      return ".ppm";
  }
  return "";
}

Bytes encode(const Raster& image, Format format) {
  switch (format) {
    case Format::png:
      return examples::encode_png(image);
    case Format::jpeg:
      return encode_jpeg(on_white(image));
    case Format::tga:
      return encode_tga(image);
    case Format::ppm:
      return encode_ppm(on_white(image));
  }
  return {};
}

}  // namespace thumbs
