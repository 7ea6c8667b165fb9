#pragma once

// How a result comes home.

#include <procpool/detail/argument.hpp>

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

/// Decodes what the worker encoded. Throws DecodingError.
template <class R>
R load_result(SpanIn& in) {
  if constexpr (!std::is_void_v<R>) {
    R result = decode<R>(in);
    in.expect_end();
    return result;
  }
}

}  // namespace procpool::inline v0::detail
