#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <procpool/errors.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "round_trip.hpp"
#include "sample_types.hpp"

namespace {

using wire_test::encoded;
namespace detail = procpool::detail;

/// Memory as a worker sees it: aligned to 16.
class Aligned {
 public:
  explicit Aligned(std::span<const std::byte> bytes)
      : words_(bytes.size() / sizeof(Word) + 1), size_(bytes.size()) {
    std::memcpy(words_.data(), bytes.data(), bytes.size());
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(words_)).first(size_); }
  bool contains(const void* at) const {
    const auto* byte = static_cast<const std::byte*>(at);
    return byte >= bytes().data() && byte <= bytes().data() + size_;
  }

 private:
  struct alignas(16) Word {
    std::byte bytes[16];
  };
  std::vector<Word> words_;
  std::size_t size_;
};

TEST(Views, AStringViewIsSeenInPlace) {
  const Aligned memory(encoded(7, std::string_view("hello"), std::string_view(), 8));
  detail::SpanIn in(memory.bytes());
  EXPECT_EQ(detail::decode<int>(in), 7);
  const std::string_view text = detail::load_view(in);
  EXPECT_EQ(text, "hello");
  EXPECT_TRUE(memory.contains(text.data()));
  EXPECT_EQ(detail::load_view(in), "");
  EXPECT_EQ(detail::decode<int>(in), 8);
  in.expect_end();
}

TEST(Views, ASpanIsAlignedAndSeenInPlace) {
  const std::vector<double> numbers{1, 2, 3};
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string text(before, 'x');
    const Aligned memory(encoded(text, std::span<const double>(numbers), 'e'));
    detail::SpanIn in(memory.bytes());
    EXPECT_EQ(detail::decode<std::string>(in), text);
    const std::span<const double> seen = detail::load_span<double>(in);
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), numbers.begin(), numbers.end()));
    EXPECT_TRUE(memory.contains(seen.data()));
    EXPECT_EQ(detail::decode<char>(in), 'e');
    in.expect_end();
  }
}

TEST(Views, ASpanOfStructsAndAnEmptySpan) {
  const std::vector<user::Point> points{{1, 2}, {3, 4}};
  const Aligned memory(encoded(std::span(points), std::span<const int>()));
  detail::SpanIn in(memory.bytes());
  const std::span<const user::Point> seen = detail::load_span<user::Point>(in);
  EXPECT_TRUE(std::equal(seen.begin(), seen.end(), points.begin(), points.end()));
  EXPECT_TRUE(detail::load_span<int>(in).empty());
  in.expect_end();
}

TEST(Views, TooShortOrMisalignedInputIsRefused) {
  const std::vector<double> numbers{1, 2};
  const auto bytes = encoded(std::span(numbers));
  const Aligned memory(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    detail::SpanIn in(memory.bytes().first(size));
    EXPECT_THROW(detail::load_span<double>(in), procpool::DecodingError) << size;
  }
  std::vector<std::byte> shifted(1);
  shifted.insert(shifted.end(), bytes.begin(), bytes.end());
  const Aligned moved(shifted);
  detail::SpanIn in(moved.bytes().subspan(1));
  EXPECT_THROW(detail::load_span<double>(in), procpool::DecodingError);
}

TEST(Views, AHugeViewIsRefused) {
  const auto bytes = encoded(~std::uint64_t{0});
  detail::SpanIn text(bytes);
  EXPECT_THROW(detail::load_view(text), procpool::DecodingError);
  detail::SpanIn numbers(bytes);
  EXPECT_THROW(detail::load_span<double>(numbers), procpool::DecodingError);
}

}  // namespace
