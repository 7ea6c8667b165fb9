#pragma once

// How one argument crosses. Slot<D, P> is for an argument of decayed type D and a parameter of type
// P (UnknownParameter where it is not known): `Stored` is what the worker holds for the task's
// life, `save` and `load` move it, and `pass` makes of it what the callable gets.

#include <procpool/detail/archive.hpp>
#include <procpool/detail/passed.hpp>
#include <procpool/detail/signature.hpp>
#include <procpool/fwd.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace procpool::inline v0::detail {

template <class D>
struct ValueSlot {
  using Stored = D;

  static void save(SpanOut& out, const D& value) { encode(out, value); }
  static D load(SpanIn& in) { return decode<D>(in); }
  static D&& pass(D& stored) { return std::move(stored); }
};
template <class D, class P>
struct Slot : ValueSlot<D> {};

// Text.

inline std::string_view checked_text(const char* text) {
  if (text == nullptr) throw_encoding_error("a null const char* cannot be sent");
  return text;
}

struct StringSlot : ValueSlot<std::string> {
  static void save(SpanOut& out, std::string_view text) { encode(out, text); }
};
struct ViewSlot {
  using Stored = std::string_view;

  static void save(SpanOut& out, std::string_view text) { encode(out, text); }
  static std::string_view load(SpanIn& in) { return load_view(in); }
  static std::string_view pass(std::string_view stored) { return stored; }
};
/// An argument that was given as a literal, argv[1] or the like.
template <class Received>
struct LiteralSlot : Received {
  static void save(SpanOut& out, const char* text) { Received::save(out, checked_text(text)); }
};
struct CStringSlot : StringSlot {
  static const char* pass(const std::string& stored) { return stored.c_str(); }
};

template <class P>
struct Slot<std::string_view, P> : ViewSlot {};
template <>
struct Slot<std::string, std::string_view> : ViewSlot {};
template <class P>
struct Slot<const char*, P> : LiteralSlot<StringSlot> {};
template <>
struct Slot<const char*, std::string_view> : LiteralSlot<ViewSlot> {};
template <>
struct Slot<const char*, const char*> : LiteralSlot<CStringSlot> {};
template <class P>
struct Slot<char*, P> : Slot<const char*, P> {};

// Spans. Elements that are their own bytes are seen where they lie.

template <class T>
concept SeenInPlace = std::is_trivially_copyable_v<T> && archive_can_carry<T> &&
                      alignof(T) <= 16 && (!std::is_class_v<T> || PlainStruct<T>);

template <std::size_t Extent, class T>
std::span<const T, Extent> with_extent(std::span<const T> elements) {
  if (Extent != std::dynamic_extent && elements.size() != Extent)
    throw_decoding_error("a span does not have as many elements as its type says");
  return std::span<const T, Extent>(elements.data(), elements.size());
}

/// The encoding of a vector of the elements.
template <class T>
void save_elements(SpanOut& out, std::span<const T> elements) {
  encode(out, std::uint64_t{elements.size()});
  if constexpr (std::is_arithmetic_v<T>) {
    out.write(elements.data(), elements.size_bytes());
  } else {
    for (const T& element : elements) encode(out, element);
  }
}

template <class T, std::size_t Extent>
struct InPlaceSlot {
  using Stored = std::span<const T, Extent>;

  static void save(SpanOut& out, std::span<const T> elements) { encode(out, elements); }
  static Stored load(SpanIn& in) { return with_extent<Extent>(load_span<T>(in)); }
  static Stored pass(Stored stored) { return stored; }
};
template <class T, std::size_t Extent>
struct CopiedSpanSlot {
  using Stored = std::vector<T>;

  static void save(SpanOut& out, std::span<const T> elements) { save_elements(out, elements); }
  static Stored load(SpanIn& in) { return decode<Stored>(in); }
  static std::span<const T, Extent> pass(const Stored& stored) {
    return with_extent<Extent>(std::span<const T>(stored));
  }
};

template <class T, std::size_t Extent, class P>
struct Slot<std::span<T, Extent>, P> : CopiedSpanSlot<std::remove_cv_t<T>, Extent> {};
template <class T, std::size_t Extent, class P>
  requires SeenInPlace<std::remove_cv_t<T>>
struct Slot<std::span<T, Extent>, P> : InPlaceSlot<std::remove_cv_t<T>, Extent> {};
template <SeenInPlace T, class A>
  requires(!std::is_same_v<T, bool>)
struct Slot<std::vector<T, A>, std::span<const T>> : InPlaceSlot<T, std::dynamic_extent> {};

// What crosses as something else.

template <class K, class V, class P>
struct Slot<std::pair<const K, V>, P> : ValueSlot<std::pair<K, V>> {
  static void save(SpanOut& out, const std::pair<const K, V>& pair) {
    encode(out, pair.first, pair.second);
  }
};
template <class T, class P>
struct Slot<std::reference_wrapper<T>, P> : Slot<std::remove_cv_t<T>, P> {};

// A future's value, which comes as it came home (passed.hpp), between two multiples of 16: what
// follows it is encoded before its size is known.

template <class T>
inline constexpr bool is_future = false;
template <class R>
inline constexpr bool is_future<Future<R>> = true;

template <class T, class P>
struct Slot<Future<T>, P> : ValueSlot<T> {
  static T load(SpanIn& in) {
    in.skip_pad(passed_alignment);
    T value = load_passed<T>(in);
    in.skip_pad(passed_alignment);
    return value;
  }
};

/// Refused: it has no value.
struct NoValue {};
template <class P>
struct Slot<Future<void>, P> : ValueSlot<NoValue> {};

/// The future in an argument, or the argument itself.
template <class D>
struct Unwrapped {
  using type = D;
};
template <class T>
struct Unwrapped<std::reference_wrapper<T>> {
  using type = std::remove_cv_t<T>;
};
template <class A>
inline constexpr bool gives_future = is_future<typename Unwrapped<std::decay_t<A>>::type>;

/// The type of which it is asked whether it can be sent: what an argument becomes on its way.
template <class D>
struct Crossing {
  using type = D;
};
template <>
struct Crossing<const char*> : Crossing<std::string> {};
template <>
struct Crossing<char*> : Crossing<std::string> {};
template <>
struct Crossing<std::string_view> : Crossing<std::string> {};
template <class T, std::size_t Extent>
struct Crossing<std::span<T, Extent>> : Crossing<std::vector<std::remove_cv_t<T>>> {};
template <class K, class V>
struct Crossing<std::pair<const K, V>> : Crossing<std::pair<K, V>> {};
template <class T>
struct Crossing<std::reference_wrapper<T>> : Crossing<std::remove_cv_t<T>> {};
template <class R>
struct Crossing<Future<R>> {
  using type = R;
};
template <class A>
using crossing_t = typename Crossing<std::decay_t<A>>::type;

// All arguments of a call, decoded in the order in which they were given.

template <class... Slots>
class Arguments;
template <>
class Arguments<> {
 public:
  template <class In>
  explicit Arguments(In&) {}

  template <class F, class... Passed>
  decltype(auto) call(F& f, Passed&&... passed) {
    return std::invoke(f, std::forward<Passed>(passed)...);
  }
};
template <class First, class... Rest>
class Arguments<First, Rest...> {
 public:
  /// `in` is a SpanIn, or converts to the one that has the next argument.
  template <class In>
  explicit Arguments(In& in) : first_(First::load(in)), rest_(in) {}

  template <class F, class... Passed>
  decltype(auto) call(F& f, Passed&&... passed) {
    return rest_.call(f, std::forward<Passed>(passed)..., First::pass(first_));
  }

 private:
  typename First::Stored first_;
  [[no_unique_address]] Arguments<Rest...> rest_;
};

/// What the callable gets for this argument.
template <class S>
using passed_t = decltype(S::pass(std::declval<typename S::Stored&>()));

}  // namespace procpool::inline v0::detail
