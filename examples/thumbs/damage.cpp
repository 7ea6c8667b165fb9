#include "thumbs/damage.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "support/files.hpp"
#include "thumbs/encode.hpp"

namespace thumbs {
namespace {

using Bytes = std::vector<std::uint8_t>;

void put_big_endian(Bytes& bytes, std::size_t at, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes[at++] = static_cast<std::uint8_t>(number >> shift);
  }
}

std::size_t find(const Bytes& bytes, std::string_view what) {
  const auto found = std::search(bytes.begin(), bytes.end(), what.begin(), what.end(),
                                 [](std::uint8_t a, char b) { return a == std::uint8_t(b); });
  return static_cast<std::size_t>(found - bytes.begin());
}

void replace_line(Bytes& bytes, std::size_t line, std::string_view text) {
  auto at = bytes.begin();
  for (; line > 0; --line) at = std::find(at, bytes.end(), '\n') + 1;
  at = bytes.erase(at, std::find(at, bytes.end(), '\n'));
  bytes.insert(at, text.begin(), text.end());
}

void flip_three(Bytes& bytes, std::size_t from, Random& random) {
  for (int i = 0; i < 3; ++i) {
    bytes[from + random() % (bytes.size() - from)] ^= static_cast<std::uint8_t>(1 + random() % 255);
  }
}

void cut(Bytes& bytes, Random& random) {
  bytes.resize(bytes.size() / 2 + random() % (bytes.size() / 4));
}

void empty(Bytes& bytes, Random&) { bytes.clear(); }

void wipe_signature(Bytes& bytes, Random& random) {
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(random() % 16);
}

// Within the first bytes of the compressed data, which a check sum covers.
void flip_png(Bytes& bytes, Random& random) {
  bytes[find(bytes, "IDAT") + 6 + random() % 8] ^= 0x55;
}

// A width that no computer holds, under a check sum that is right.
void widen_png(Bytes& bytes, Random&) {
  put_big_endian(bytes, 16, 0x7fffffff);
  put_big_endian(bytes, 29, static_cast<std::uint32_t>(crc32(0, &bytes[12], 17)));
}

void flip_jpeg(Bytes& bytes, Random& random) { flip_three(bytes, bytes.size() * 2 / 3, random); }

void widen_jpeg(Bytes& bytes, Random&) {
  const std::size_t frame = find(bytes, std::string_view("\xff\xc0\x00\x11\x08", 5));
  put_big_endian(bytes, frame + 5, 0xffffffff);
}

// 32768 x 32768 x 4 bytes: in 32 bits that is no memory at all.
void widen_tga(Bytes& bytes, Random&) {
  for (const std::size_t low : {12U, 14U}) {
    bytes[low] = 0;
    bytes[low + 1] = 0x80;
  }
}

void widen_ppm(Bytes& bytes, Random&) { replace_line(bytes, 1, "32768 32768"); }
void deepen_tga(Bytes& bytes, Random&) { bytes[16] = 13; }
void deepen_ppm(Bytes& bytes, Random&) { replace_line(bytes, 2, "65535"); }

struct Kind {
  const char* name;
  Format format;
  void (*harm)(Bytes&, Random&);
};

constexpr std::array kKinds = {
    Kind{"truncated", Format::png, cut},
    Kind{"absurd-size", Format::tga, widen_tga},
    Kind{"flipped-bytes", Format::png, flip_png},
    Kind{"absurd-depth", Format::ppm, deepen_ppm},
    Kind{"truncated", Format::jpeg, cut},
    Kind{"absurd-size", Format::png, widen_png},
    Kind{"absurd-size", Format::ppm, widen_ppm},
    Kind{"absurd-size", Format::jpeg, widen_jpeg},
    Kind{"no-signature", Format::png, wipe_signature},
    Kind{"absurd-depth", Format::tga, deepen_tga},
    Kind{"flipped-bytes", Format::jpeg, flip_jpeg},
    Kind{"empty", Format::png, empty},
};

}  // namespace

std::vector<Item> damage_some(const std::vector<Item>& items, std::size_t count,
                              const std::filesystem::path& folder, Random& random) {
  std::filesystem::create_directory(folder);
  std::vector<Item> damaged;
  for (std::size_t i = 0; i < count; ++i) {
    const Kind& kind = kKinds[i % kKinds.size()];
    Bytes bytes = encode(draw_sample(items, random).image, kind.format);
    kind.harm(bytes, random);
    damaged.push_back(numbered(folder, i, std::string(kind.name) + extension(kind.format)));
    damaged.back().damaged = true;
    examples::write_file(damaged.back().file, bytes);
  }
  return damaged;
}

}  // namespace thumbs
