// Readers of the kind found in old code: they believe every header. The size is computed in 32 bits
// and wraps; nothing checks that the pixels fit; what "cannot happen" is an abort(). Good files
// come out right; a damaged one may take the process along, which is what this example is about. Do
// not copy from here.
#include <cstdlib>
#include <memory>

#include "thumbs/decode.hpp"

namespace thumbs {
namespace {

struct Free {
  void operator()(std::uint8_t* memory) const { std::free(memory); }
};

// fgetc of old: past the end it gives -1, and nobody looks.
struct Input {
  const std::uint8_t* at;
  const std::uint8_t* end;

  int next() { return at < end ? *at++ : -1; }

  int next_number() {
    int c = next();
    while (c == ' ' || c == '\n') c = next();
    int number = 0;
    for (; c >= '0' && c <= '9'; c = next()) number = number * 10 + c - '0';
    return number;
  }
};

struct Header {
  int width;
  int height;
  int channels;
  bool blue_first;
  bool upside_down;
};

void read_pixel(Input& input, const Header& header, std::uint8_t* pixel) {
  for (int c = 0; c < header.channels; ++c) {
    const int place = header.blue_first && c < 3 ? 2 - c : c;
    pixel[place] = static_cast<std::uint8_t>(input.next());
  }
  if (header.channels == 3) pixel[3] = 255;
}

examples::Raster read_pixels(Input& input, const Header& header) {
  const std::uint32_t size =
      static_cast<std::uint32_t>(header.width) * static_cast<std::uint32_t>(header.height) * 4U;
  const std::unique_ptr<std::uint8_t, Free> pixels(static_cast<std::uint8_t*>(std::malloc(size)));
  for (int row = 0; row < header.height; ++row) {
    const int y = header.upside_down ? header.height - 1 - row : row;
    std::uint8_t* line =
        pixels.get() + static_cast<std::size_t>(y) * static_cast<std::size_t>(header.width) * 4;
    for (int x = 0; x < header.width; ++x) read_pixel(input, header, line + std::size_t(x) * 4);
  }
  return {header.width, header.height, 4, {pixels.get(), pixels.get() + size}};
}

}  // namespace

examples::Raster decode_tga_naively(Bytes bytes) {
  const std::uint8_t* h = bytes.data();
  const int bits = h[16];
  if (h[2] != 2 || (bits != 24 && bits != 32)) std::abort();
  const Header header{h[12] + 256 * h[13], h[14] + 256 * h[15], bits / 8, true,
                      (h[17] & 0x20) == 0};
  Input input{h + 18 + h[0], h + bytes.size()};
  return read_pixels(input, header);
}

examples::Raster decode_ppm_naively(Bytes bytes) {
  Input input{bytes.data() + 2, bytes.data() + bytes.size()};
  const int width = input.next_number();
  const int height = input.next_number();
  if (input.next_number() != 255) std::abort();
  return read_pixels(input, {width, height, 3, false, false});
}

}  // namespace thumbs
