#include "thumbs/decode.hpp"
#include "thumbs/jpeg_errors.hpp"

namespace thumbs {
namespace {

constexpr const char* kName = "libjpeg-turbo";

class JpegReader {
 public:
  JpegReader() {
    codec_.err = errors_.install();
    jpeg_create_decompress(&codec_);
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&codec_); }

  bool read_header(Bytes bytes) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_mem_src(&codec_, bytes.data(), bytes.size());
    jpeg_read_header(&codec_, TRUE);
    codec_.out_color_space = JCS_EXT_RGBA;
    jpeg_calc_output_dimensions(&codec_);
    return true;
  }

  bool read_rows(std::uint8_t* pixels) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_start_decompress(&codec_);
    while (codec_.output_scanline < codec_.output_height) {
      JSAMPROW row = pixels + std::size_t{codec_.output_scanline} * codec_.output_width * 4;
      jpeg_read_scanlines(&codec_, &row, 1);
    }
    jpeg_finish_decompress(&codec_);
    return true;
  }

  JDIMENSION width() const { return codec_.output_width; }
  JDIMENSION height() const { return codec_.output_height; }
  const char* error() const { return errors_.text; }

 private:
  JpegErrors errors_;
  jpeg_decompress_struct codec_{};
};

}  // namespace

examples::Raster decode_jpeg(const std::string& file, Bytes bytes) {
  JpegReader reader;
  if (!reader.read_header(bytes)) throw DecodeError(file, kName, reader.error());
  check_size(file, kName, reader.width(), reader.height());
  examples::Raster image =
      examples::make_raster(static_cast<int>(reader.width()), static_cast<int>(reader.height()), 4);
  if (!reader.read_rows(image.bytes.data())) throw DecodeError(file, kName, reader.error());
  return image;
}

}  // namespace thumbs
