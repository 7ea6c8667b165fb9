#pragma once

// How the value of a finished task travels to another one: as the archive that came home, which
// nobody reads on the way. What came home in several archives (the elements of a map, gathered
// futures) travels as these, to become a vector or a tuple.
//
//   one:   0, its size, the archive
//   many:  1, their number, each of them in one of these two forms

#include <procpool/detail/archive.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace procpool::inline v0::detail {

inline constexpr std::size_t passed_alignment = 16;
inline constexpr std::size_t least_passed_bytes = 1 + sizeof(std::uint64_t);

inline void pass_archive_size(SpanOut& out, std::uint64_t size) { encode(out, false, size); }
inline void pass_archive(SpanOut& out, std::span<const std::byte> archive) {
  pass_archive_size(out, archive.size());
  out.write(archive.data(), archive.size());
}
inline void pass_count(SpanOut& out, std::uint64_t count) { encode(out, true, count); }

[[noreturn]] void throw_passed_otherwise();

template <class T>
T load_passed(SpanIn& in);

/// How several archives become a T. Most types come in one.
template <class T>
struct Assembled {
  static T load(SpanIn&, std::size_t) { throw_passed_otherwise(); }
};
template <class T, class A>
struct Assembled<std::vector<T, A>> {
  static std::vector<T, A> load(SpanIn& in, std::size_t count) {
    std::vector<T, A> all;
    all.reserve(count);
    for (std::size_t i = 0; i != count; ++i) all.push_back(load_passed<T>(in));
    return all;
  }
};
template <class... T>
struct Assembled<std::tuple<T...>> {
  static std::tuple<T...> load(SpanIn& in, std::size_t count) {
    if (count != sizeof...(T)) throw_passed_otherwise();
    return std::tuple<T...>{load_passed<T>(in)...};
  }
};

template <class T>
T load_passed(SpanIn& in) {
  const bool many = in.read_scalar<bool>();
  if (many) return Assembled<T>::load(in, in.read_count(least_passed_bytes));
  SpanIn own(in.view(in.read_count(1)));
  T value = decode<T>(own);
  own.expect_end();
  return value;
}

}  // namespace procpool::inline v0::detail
