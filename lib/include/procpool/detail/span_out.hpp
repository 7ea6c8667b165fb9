#pragma once

// The output archive: cereal over memory that the caller gives.

#include <procpool/detail/byte_sink.hpp>

#include <cereal/cereal.hpp>
#include <cereal/types/memory.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace procpool::inline v0::detail {

/// The state behind a handle of shared.hpp.
class SharedMemory;
/// What must reach a worker before the bytes that name it.
using Attachments = std::vector<std::shared_ptr<SharedMemory>>;

/// How deep values may nest, on both sides: a decoder that follows an input to any depth
/// would overflow its stack.
inline constexpr unsigned max_nesting = 500;

/// What cereal wraps around a value on its way is no nesting of its own.
template <class T>
inline constexpr bool nests = std::is_class_v<T>;
template <class T>
inline constexpr bool nests<cereal::NameValuePair<T>> = false;
template <class T>
inline constexpr bool nests<cereal::SizeTag<T>> = false;
template <class T>
inline constexpr bool nests<cereal::BinaryData<T>> = false;
template <class T>
inline constexpr bool nests<cereal::memory_detail::PtrWrapper<T>> = false;
template <class T, class D>
inline constexpr bool nests<std::unique_ptr<T, D>> = false;
template <class T>
inline constexpr bool nests<std::shared_ptr<T>> = false;

/// Encodes values, in the machine's own layout, into [first, first + size), then into whatever
/// the sink provides.
class SpanOut : public cereal::OutputArchive<SpanOut, cereal::AllowEmptyClassElision> {
 public:
  SpanOut(std::span<std::byte> first, Sink& sink)
      : OutputArchive(this),
        begin_(first.data()),
        cur_(first.data()),
        end_(first.data() + first.size()),
        sink_(sink) {}

  void write(const void* data, std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - cur_)) [[unlikely]]
      make_room(size);
    if (size != 0) std::memcpy(cur_, data, size);
    cur_ += size;
  }

  /// Writes zeros up to the next multiple of `alignment`, counted from the archive's start.
  void pad(std::size_t alignment) {
    static constexpr std::byte zeros[16] = {};
    for (std::size_t n = (alignment - size() % alignment) % alignment; n != 0;) {
      const std::size_t part = std::min(n, sizeof zeros);
      write(zeros, part);
      n -= part;
    }
  }

  std::size_t size() const noexcept { return static_cast<std::size_t>(cur_ - begin_); }
  /// What has been written. Valid until the next write.
  std::span<std::byte> bytes() const noexcept { return {begin_, size()}; }

  void enter() {
    if (++depth_ > max_nesting) throw_encoding_error("the value is nested deeper than 500 levels");
  }
  void leave() noexcept { --depth_; }

  /// The bytes name this memory: it is to travel with them, and to live until they are done with.
  void attach(const std::shared_ptr<SharedMemory>& memory) { attachments_.push_back(memory); }
  Attachments take_attachments() noexcept { return std::move(attachments_); }

 private:
  [[gnu::noinline]] void make_room(std::size_t more) {
    const std::size_t used = size();
    const std::span<std::byte> region = sink_.grow({begin_, used}, more);
    begin_ = region.data();
    cur_ = begin_ + used;
    end_ = begin_ + region.size();
  }

  std::byte* begin_;
  std::byte* cur_;
  std::byte* end_;
  Sink& sink_;
  unsigned depth_ = 0;
  Attachments attachments_;
};

template <class T>
[[gnu::always_inline]] inline void prologue(SpanOut& ar, const T&) {
  if constexpr (nests<T>) ar.enter();
}
template <class T>
[[gnu::always_inline]] inline void epilogue(SpanOut& ar, const T&) {
  if constexpr (nests<T>) ar.leave();
}

template <class T>
requires std::is_arithmetic_v<T>
void save(SpanOut& ar, const T& value) { ar.write(&value, sizeof value); }
template <class T>
void save(SpanOut& ar, const cereal::NameValuePair<T>& pair) {
  ar(pair.value);
}
template <class T>
void save(SpanOut& ar, const cereal::SizeTag<T>& tag) {
  ar(tag.size);
}
template <class T>
void save(SpanOut& ar, const cereal::BinaryData<T>& data) {
  ar.write(data.data, static_cast<std::size_t>(data.size));
}

}  // namespace procpool::inline v0::detail
