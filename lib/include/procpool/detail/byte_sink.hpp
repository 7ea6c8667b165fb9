#pragma once

// Where encoded bytes go when the memory at hand is full.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace procpool::inline v0::detail {

/// Throws EncodingError. Out of line, so that a check costs its caller one compare.
[[noreturn]] void throw_encoding_error(std::string_view what);
/// Throws DecodingError.
[[noreturn]] void throw_decoding_error(std::string_view what);

/// Provides more room to a SpanOut.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  /// Returns a region of at least `used.size() + more` bytes that begins with a copy of `used`.
  /// `used` may be given up at once. May throw; the archive then stands as it was.
  virtual std::span<std::byte> grow(std::span<const std::byte> used, std::size_t more) = 0;
};

/// Grows on the heap, by doubling.
class HeapSink final : public Sink {
 public:
  std::span<std::byte> grow(std::span<const std::byte> used, std::size_t more) override {
    if (more > max_bytes - used.size()) throw_encoding_error("the value is too large to encode");
    const std::size_t size = std::max({used.size() + more, 2 * used.size(), min_bytes});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(size);
    if (!used.empty()) std::memcpy(larger.get(), used.data(), used.size());
    buffer_ = std::move(larger);
    return {buffer_.get(), size};
  }

  /// True once the bytes have outgrown the memory that the archive was given first.
  bool used() const noexcept { return buffer_ != nullptr; }
  /// Gives the buffer away; null when it was never needed.
  std::unique_ptr<std::byte[]> release() noexcept { return std::move(buffer_); }

  static constexpr std::size_t max_bytes = std::size_t{1} << 62;

 private:
  static constexpr std::size_t min_bytes = 256;

  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace procpool::inline v0::detail
