#pragma once

// Encoding and decoding for tests, through little first memory, so that the sink is used too.

#include <procpool/detail/archive.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace wire_test {

namespace detail = procpool::detail;

template <class... T>
std::vector<std::byte> encoded(const T&... values) {
  std::array<std::byte, 8> first;
  detail::HeapSink sink;
  detail::SpanOut out(first, sink);
  detail::encode(out, values...);
  return {out.bytes().begin(), out.bytes().end()};
}

template <class T>
T decoded(std::span<const std::byte> bytes) {
  detail::SpanIn in(bytes);
  T value = detail::decode<T>(in);
  in.expect_end();
  return value;
}

template <class T>
T round_trip(const T& value) {
  return decoded<T>(encoded(value));
}

}  // namespace wire_test
