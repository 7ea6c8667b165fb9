#pragma once

// How a result comes home.

#include <procpool/detail/argument.hpp>
#include <procpool/detail/type_text.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace procpool::inline v0::detail {

/// The result at home of a call that returns R, which is neither const nor a reference.
template <class R>
struct AtHome {
  using type = R;
};
template <>
struct AtHome<std::string_view> : AtHome<std::string> {};
template <>
struct AtHome<const char*> : AtHome<std::string> {};
template <class T, std::size_t Extent>
struct AtHome<std::span<T, Extent>> : AtHome<std::vector<std::remove_cv_t<T>>> {};
template <class R>
using at_home_t = typename AtHome<std::remove_cvref_t<R>>::type;

template <class R>
void save_result(SpanOut& out, const R& result) {
  encode(out, result);
}
inline void save_result(SpanOut& out, std::string_view result) { encode(out, result); }
inline void save_result(SpanOut& out, const char* result) { encode(out, checked_text(result)); }
template <class T, std::size_t Extent>
void save_result(SpanOut& out, const std::span<T, Extent>& result) {
  save_elements(out, std::span<const std::remove_cv_t<T>>(result));
}

/// Called in a handler: what serialising a result of this type threw, as an EncodingError that names
/// the type, with the original nested in it.
[[noreturn]] void throw_result_encoding_failed(std::string_view compilers_text);

/// The same at home, as a DecodingError.
[[noreturn]] void throw_result_decoding_failed(std::string_view compilers_text);

/// save_result; what the value's own serialisation throws is no error of the task.
template <class R>
void save_result_or_say(SpanOut& out, const R& result) {
  try {
    save_result(out, result);
  } catch (...) {
    throw_result_encoding_failed(type_text<R>());
  }
}

/// Decodes what the worker encoded. Throws DecodingError.
template <class R>
R load_result(SpanIn& in) {
  if constexpr (!std::is_void_v<R>) {
    try {
      R result = decode<R>(in);
      in.expect_end();
      return result;
    } catch (...) {
      throw_result_decoding_failed(type_text<R>());
    }
  }
}

}  // namespace procpool::inline v0::detail
