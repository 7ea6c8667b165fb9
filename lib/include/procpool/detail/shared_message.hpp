#pragma once

// Values as bytes on their way through a queue or pipe. They travel by themselves, so they cannot
// name shared state: nobody would bring it along.

#include <procpool/detail/archive.hpp>
#include <procpool/detail/byte_sink.hpp>

#include <cstddef>
#include <span>

namespace procpool::inline v0::detail {

[[noreturn]] void throw_handle_in_message();

/// use(bytes) with the value's encoding.
template <class T, class Use>
auto with_message(const T& value, Use use) {
  alignas(16) std::byte first[512];
  HeapSink sink;
  SpanOut out(first, sink);
  encode(out, value);
  if (!out.take_attachments().empty()) throw_handle_in_message();
  return use(out.bytes());
}

/// Throws DecodingError.
template <class T>
T from_message(std::span<const std::byte> bytes) {
  SpanIn in(bytes);
  T value = decode<T>(in);
  in.expect_end();
  return value;
}

}  // namespace procpool::inline v0::detail
