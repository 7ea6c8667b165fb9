#pragma once

// Values as bytes: cereal through a pair of archives over plain memory. Both ends run on one
// machine and are built from the same types, so numbers travel in the machine's own layout.

#include <procpool/detail/archive_types.hpp>
#include <procpool/detail/can_carry.hpp>
#include <procpool/detail/span_in.hpp>
#include <procpool/detail/span_out.hpp>

namespace procpool::inline v0::detail {

/// Encodes the values, one after the other. Throws EncodingError, or what a value's own code
/// throws.
template <class... T>
void encode(SpanOut& ar, const T&... values) {
  try {
    (ar(values), ...);
  } catch (const cereal::Exception& error) {
    throw_encoding_error(error.what());
  }
}

/// Decodes into a value that exists. Throws DecodingError, or what the value's own code throws.
template <class T>
void decode_into(SpanIn& ar, T& value) {
  try {
    ar(value);
  } catch (const cereal::Exception& error) {
    throw_decoding_error(error.what());
  }
}

template <class T>
T decode(SpanIn& ar) {
  T value{};
  decode_into(ar, value);
  return value;
}

}  // namespace procpool::inline v0::detail

CEREAL_REGISTER_ARCHIVE(procpool::detail::SpanOut)
CEREAL_REGISTER_ARCHIVE(procpool::detail::SpanIn)
