#pragma once

// How single types travel: those that cereal lacks, and those whose cereal loaders allocate before
// they look. Found by argument-dependent lookup through the archives' namespace, and preferred to
// cereal's because they are more specialised.

#include <procpool/detail/plain_struct.hpp>
#include <procpool/detail/span_in.hpp>
#include <procpool/detail/span_out.hpp>
#include <procpool/detail/unaligned.hpp>

#include <bitset>
#include <cereal/types/array.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/complex.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/stack.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace procpool::inline v0::detail {

template <class A>
concept OurArchive = std::same_as<A, SpanOut> || std::same_as<A, SpanIn>;

template <OurArchive A, PlainStruct T>
void serialize(A& ar, T& value) {
  visit_members(value, [&ar](auto&... members) { ar(members...); });
}

// Sequences.

template <class T>
concept Raw = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

/// Each element that is not a bare number has at least this many bytes, unless it is empty.
template <class T>
consteval std::size_t min_encoded_bytes() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) return sizeof(T);
  return 1;
}

/// Decodes one element after the other at the container's end. What is allocated follows what has
/// been read.
template <class C>
void load_each(SpanIn& ar, C& to) {
  using T = typename C::value_type;
  std::size_t count = ar.read_loose_count(min_encoded_bytes<T>(), sizeof(T));
  to.clear();
  if constexpr (requires { to.reserve(count); })
    to.reserve(std::min(count, (max_unbacked_bytes + 8 * ar.remaining()) / sizeof(T)));
  for (; count != 0; --count) ar(to.emplace_back());
}

/// Says that this memory will be filled soon: large pages, where there are any, cost less to get.
void advise_large(void* memory, std::size_t bytes) noexcept;

/// Room for so many elements that come now. What is large is fresh memory, which costs more than what
/// is put there.
template <class C>
void reserve_at_once(C& to, std::size_t count) {
  constexpr std::size_t large = std::size_t{2} << 20;
  const std::size_t bytes = count * sizeof(typename C::value_type);
  to.reserve(count);
  if (bytes >= large) advise_large(to.data(), bytes);
}

template <Raw T, class A>
void load(SpanIn& ar, std::vector<T, A>& to) {
  const std::size_t count = ar.read_count(sizeof(T));
  to.clear();
  reserve_at_once(to, count);
  append_unaligned(to, ar.view(count * sizeof(T)));
}
template <class T, class A>
requires(!std::is_arithmetic_v<T>) void load(SpanIn& ar, std::vector<T, A>& to) {
  load_each(ar, to);
}
template <class T, class A>
void load(SpanIn& ar, std::deque<T, A>& to) {
  load_each(ar, to);
}
template <class T, class A>
void load(SpanIn& ar, std::list<T, A>& to) {
  load_each(ar, to);
}
template <class T, class A>
void load(SpanIn& ar, std::forward_list<T, A>& to) {
  std::size_t count = ar.read_loose_count(min_encoded_bytes<T>(), sizeof(T));
  to.clear();
  for (auto last = to.before_begin(); count != 0; --count) {
    last = to.emplace_after(last);
    ar(*last);
  }
}
template <class C, class Traits, class A>
void load(SpanIn& ar, std::basic_string<C, Traits, A>& to) {
  const std::size_t count = ar.read_count(sizeof(C));
  if constexpr (sizeof(C) == 1) {
    reserve_at_once(to, count);
    to.assign(reinterpret_cast<const C*>(ar.view(count).data()), count);
  } else {
    to.resize(count);
    ar.read(to.data(), count * sizeof(C));
  }
}

// Equal keys keep their order (cereal's loader turns it round).
template <class K, class C, class A>
void load(SpanIn& ar, std::multiset<K, C, A>& to) {
  to.clear();
  for (std::size_t n = ar.read_loose_count(min_encoded_bytes<K>(), sizeof(K)); n != 0; --n) {
    K key{};
    ar(key);
    to.emplace_hint(to.end(), std::move(key));
  }
}
template <class K, class V, class C, class A>
void load(SpanIn& ar, std::multimap<K, V, C, A>& to) {
  to.clear();
  for (std::size_t n = ar.read_loose_count(min_encoded_bytes<K>(), sizeof(K)); n != 0; --n) {
    K key{};
    V value{};
    ar(key, value);
    to.emplace_hint(to.end(), std::move(key), std::move(value));
  }
}

template <std::size_t N>
void save(SpanOut& ar, const std::bitset<N>& bits) {
  for (std::size_t i = 0; i < N; i += 8) {
    unsigned byte = 0;
    for (std::size_t j = 0; j < 8 && i + j < N; ++j) byte |= unsigned{bits[i + j]} << j;
    ar(static_cast<std::uint8_t>(byte));
  }
}
template <std::size_t N>
void load(SpanIn& ar, std::bitset<N>& bits) {
  for (std::size_t i = 0; i < N; i += 8) {
    const unsigned byte = ar.read_scalar<std::uint8_t>();
    for (std::size_t j = 0; j < 8 && i + j < N; ++j) bits[i + j] = (byte >> j & 1u) != 0;
  }
}

// Types that cereal lacks. The exact type is asked for, or whatever converts to it would match.

template <std::same_as<std::filesystem::path> P>
void save(SpanOut& ar, const P& path) {
  ar(path.native());
}
template <std::same_as<std::filesystem::path> P>
void load(SpanIn& ar, P& path) {
  std::filesystem::path::string_type text;
  ar(text);
  path = std::move(text);
}

/// A standard category by its number; throws EncodingError for any other.
std::uint8_t category_number(const std::error_category&);
/// Throws DecodingError for a number that none has.
const std::error_category& category_by_number(std::uint8_t);

template <std::same_as<std::error_code> E>
void save(SpanOut& ar, const E& code) {
  ar(category_number(code.category()), code.value());
}
template <std::same_as<std::error_code> E>
void load(SpanIn& ar, E& code) {
  const auto category = ar.read_scalar<std::uint8_t>();
  code.assign(ar.read_scalar<int>(), category_by_number(category));
}

template <class T>
void save(SpanOut& ar, const std::reference_wrapper<T>& reference) {
  ar(reference.get());
}

// Views: encoded as their elements, seen in place.

template <std::same_as<std::string_view> V>
void save(SpanOut& ar, const V& text) {
  ar(static_cast<std::uint64_t>(text.size()));
  ar.write(text.data(), text.size());
}
inline std::string_view load_view(SpanIn& ar) {
  const std::span<const std::byte> bytes = ar.view(ar.read_count(1));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
requires std::is_trivially_copyable_v<T>
void save(SpanOut& ar, const std::span<T>& elements) {
  ar(static_cast<std::uint64_t>(elements.size()));
  ar.pad(alignof(T));
  ar.write(elements.data(), elements.size_bytes());
}
/// The archive's start must be aligned for T.
template <class T>
requires std::is_trivially_copyable_v<T> std::span<const T> load_span(SpanIn& ar) {
  const std::size_t count = ar.read_count(sizeof(T));
  ar.skip_pad(alignof(T));
  const std::byte* at = ar.view(count * sizeof(T)).data();
  if (reinterpret_cast<std::uintptr_t>(at) % alignof(T) != 0)
    throw_decoding_error("a span lies at an address that is not aligned for its elements");
  return {reinterpret_cast<const T*>(at), count};
}

}  // namespace procpool::inline v0::detail
