#pragma once

// The input archive. It trusts nothing: the bytes may come from a process that has gone wrong and
// may even change while they are read. So every size is checked against the bytes that remain
// before anything is allocated, and each byte is read exactly once, into a local.

#include <procpool/detail/span_out.hpp>

#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace procpool::inline v0::detail {

/// Elements that need no bytes of their own (empty classes) are bounded by this much memory.
inline constexpr std::size_t max_unbacked_bytes = 64 * 1024;

/// Decodes what a SpanOut wrote. Throws DecodingError; an archive that threw is done with.
class SpanIn : public cereal::InputArchive<SpanIn, cereal::AllowEmptyClassElision> {
 public:
  explicit SpanIn(std::span<const std::byte> input)
      : InputArchive(this),
        begin_(input.data()),
        cur_(input.data()),
        end_(input.data() + input.size()) {}

  void read(void* to, std::size_t size) {
    require(size);
    if (size != 0) std::memcpy(to, cur_, size);
    cur_ += size;
  }

  template <class T>
  requires std::is_arithmetic_v<T> T read_scalar() {
    if constexpr (std::is_same_v<T, bool>) {
      return to_bool(read_scalar<std::uint8_t>());
    } else {
      T value;
      read(&value, sizeof value);
      return value;
    }
  }

  /// The next bytes themselves, not copied.
  std::span<const std::byte> view(std::size_t size) {
    require(size);
    const std::byte* at = cur_;
    cur_ += size;
    return {at, size};
  }

  /// Skips what SpanOut::pad wrote.
  void skip_pad(std::size_t alignment) {
    const auto at = static_cast<std::size_t>(cur_ - begin_);
    view((alignment - at % alignment) % alignment);
  }

  /// An element count for elements of `bytes` encoded bytes each, none of which is missing.
  std::size_t read_count(std::size_t bytes) {
    const auto count = read_scalar<std::uint64_t>();
    if (count > remaining() / bytes) throw_decoding_error("a size exceeds the bytes that follow");
    return static_cast<std::size_t>(count);
  }

  /// As read_count, for elements of at least `bytes` encoded bytes that take `memory` bytes when
  /// decoded: a few elements are let through even if they have no bytes.
  std::size_t read_loose_count(std::size_t bytes, std::size_t memory) {
    const auto count = read_scalar<std::uint64_t>();
    if (count > remaining() / bytes && count > max_unbacked_bytes / memory)
      throw_decoding_error("a size exceeds the bytes that follow");
    return static_cast<std::size_t>(count);
  }

  /// Where the next byte is, and back to there: what a partial() has bound is decoded for each
  /// element anew.
  const std::byte* place() const noexcept { return cur_; }
  void go_back(const std::byte* place) noexcept { cur_ = place; }

  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - cur_); }
  bool done() const noexcept { return cur_ == end_; }
  void expect_end() const {
    if (!done()) throw_decoding_error("bytes are left over after the value");
  }

  void enter() {
    if (++depth_ > max_nesting) throw_decoding_error("the input is nested deeper than 500 levels");
  }
  void leave() noexcept { --depth_; }

  static bool to_bool(std::uint8_t byte) {
    if (byte > 1) throw_decoding_error("a bool is neither 0 nor 1");
    return byte != 0;
  }

 private:
  void require(std::size_t size) const {
    if (size > remaining()) [[unlikely]]
      throw_decoding_error("the input ends too early");
  }

  const std::byte* begin_;
  const std::byte* cur_;
  const std::byte* end_;
  unsigned depth_ = 0;
};

// Inlined, or g++ takes them for readers of a value that cereal has yet to load.
template <class T>
[[gnu::always_inline]] inline void prologue(SpanIn& ar, const T&) {
  if constexpr (nests<T>) ar.enter();
}
template <class T>
[[gnu::always_inline]] inline void epilogue(SpanIn& ar, const T&) {
  if constexpr (nests<T>) ar.leave();
}

template <class T>
requires std::is_arithmetic_v<T>
void load(SpanIn& ar, T& value) { value = ar.read_scalar<T>(); }
template <class T>
void load(SpanIn& ar, cereal::NameValuePair<T>& pair) {
  ar(pair.value);
}
/// The size of a container that this library has no loader for: one byte per element is required,
/// except for a single element (a set of an empty class has at most one).
template <class T>
void load(SpanIn& ar, cereal::SizeTag<T>& tag) {
  tag.size = ar.read_loose_count(1, max_unbacked_bytes);
}
template <class T>
void load(SpanIn& ar, cereal::BinaryData<T>& data) {
  const auto size = static_cast<std::size_t>(data.size);
  if constexpr (std::is_same_v<std::remove_cv_t<std::remove_pointer_t<std::decay_t<T>>>, bool>) {
    auto* flags = static_cast<bool*>(data.data);
    for (std::size_t i = 0; i < size; ++i) flags[i] = ar.read_scalar<bool>();
  } else {
    ar.read(data.data, size);
  }
}

}  // namespace procpool::inline v0::detail

CEREAL_SETUP_ARCHIVE_TRAITS(procpool::detail::SpanIn, procpool::detail::SpanOut)
