#pragma once

// Values as bytes: cereal through a pair of archives over plain memory. Both ends run on one
// machine and are built from the same types, so numbers travel in the machine's own layout.

#include <procpool/detail/archive_types.hpp>
#include <procpool/detail/can_carry.hpp>
#include <procpool/detail/span_in.hpp>
#include <procpool/detail/span_out.hpp>

namespace procpool::inline v0::detail {

/// While it is not zero this thread makes values for bytes to be decoded into. A default-constructed
/// handle of shared state is empty then; else it makes state of its own.
inline constinit thread_local unsigned decoding = 0;
struct Decoding {
  Decoding() noexcept { ++decoding; }
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;
  ~Decoding() { --decoding; }
};

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
  const Decoding here;
  try {
    ar(value);
  } catch (const cereal::Exception& error) {
    throw_decoding_error(error.what());
  }
}

template <class T>
T decode(SpanIn& ar) {
  const Decoding here;
  T value{};
  decode_into(ar, value);
  return value;
}

}  // namespace procpool::inline v0::detail

CEREAL_REGISTER_ARCHIVE(procpool::detail::SpanOut)
CEREAL_REGISTER_ARCHIVE(procpool::detail::SpanIn)
