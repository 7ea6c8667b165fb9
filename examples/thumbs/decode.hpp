#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <string>

#include "support/raster.hpp"

namespace thumbs {

// The example's own exceptions. They are thrown in a worker, travel by their serialize, and are
// caught at home as what they are, because thumbnail.cpp registers them.

struct DecodeError : std::exception {  // a decoder refused the file
  std::string file;
  std::string decoder;
  std::string text;

  DecodeError() = default;
  DecodeError(std::string in_file, std::string by, std::string why)
      : file(std::move(in_file)), decoder(std::move(by)), text(std::move(why)) {}
  const char* what() const noexcept override { return text.c_str(); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(file, decoder, text);
  }
};

struct UnknownFormat : std::exception {  // no decoder knows the file
  std::string file;
  std::string text;

  UnknownFormat() = default;
  UnknownFormat(std::string in_file, std::string why)
      : file(std::move(in_file)), text(std::move(why)) {}
  const char* what() const noexcept override { return text.c_str(); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(file, text);
  }
};

struct Decoded {
  examples::Raster image;  // RGBA
  std::string decoder;
};

using Bytes = std::span<const std::uint8_t>;

// Reads the file and decodes it with the decoder that its first bytes (TGA: its name) ask for.
Decoded decode(const std::string& file);

// The decoders. The first two throw DecodeError; the naive ones believe every header, and so may
// kill the process that calls them.
examples::Raster decode_png(const std::string& file, Bytes bytes);
examples::Raster decode_jpeg(const std::string& file, Bytes bytes);
examples::Raster decode_tga_naively(Bytes bytes);
examples::Raster decode_ppm_naively(Bytes bytes);

// Throws DecodeError for a picture that this example does not want to hold in memory.
void check_size(const std::string& file, const std::string& decoder, std::uint64_t width,
                std::uint64_t height);

}  // namespace thumbs
