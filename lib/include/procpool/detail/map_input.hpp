#pragma once

// What a map call reads from its input ranges: elements, one after the other, as encoded arguments.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/encode.hpp>
#include <procpool/detail/refusal.hpp>

namespace procpool::inline v0::detail {

/// Walks several ranges in step; the shortest ends the walk.
template <class... Ranges>
class Cursor {
 public:
  explicit Cursor(Ranges&... ranges)
      : at_(std::ranges::begin(ranges)...), end_(std::ranges::end(ranges)...) {}

  bool at_end() { return ended(std::index_sequence_for<Ranges...>()); }
  void advance() {
    std::apply([](auto&... at) { (static_cast<void>(++at), ...); }, at_);
  }
  /// Calls `f` with the current elements as values of the ranges' value types.
  template <class F>
  void visit(F&& f) {
    std::apply(
        [&f](auto&... at) { f(static_cast<const std::ranges::range_value_t<Ranges>&>(*at)...); },
        at_);
  }

 private:
  template <std::size_t... I>
  bool ended(std::index_sequence<I...>) {
    return ((std::get<I>(at_) == std::get<I>(end_)) || ...);
  }

  std::tuple<std::ranges::iterator_t<Ranges>...> at_;
  std::tuple<std::ranges::sentinel_t<Ranges>...> end_;
};

/// How elements become arguments: each range gives one argument.
struct EachIsAnArgument {
  template <class F, class... Values>
  using Call = detail::Call<F, Values...>;

  template <class C, class... Values>
  static void save(SpanOut& out, const Values&... values) {
    C::save_arguments(out, values...);
  }
};

/// What std::apply takes apart.
template <class T>
concept TupleLike = requires(const T& elements) {
  std::tuple_size<T>::value;
  requires std::tuple_size_v<T> == 0 || requires { std::get<0>(elements); };
};

template <class Tuple>
using IndicesOf = std::make_index_sequence<std::tuple_size_v<Tuple>>;

template <class F, class Tuple>
struct UnpackedCall {
  struct type {
    using result_type = Unknowable;
  };
};
template <class F, TupleLike Tuple>
struct UnpackedCall<F, Tuple> {
  template <std::size_t... I>
  static Call<F, std::tuple_element_t<I, Tuple>...> unpacked(std::index_sequence<I...>);
  using type = decltype(unpacked(IndicesOf<Tuple>()));
};

/// starmap: one range, whose tuple-like elements hold the arguments.
struct ElementsAreTuples {
  template <class F, class Tuple>
  using Call = typename UnpackedCall<F, Tuple>::type;

  template <class C, class Tuple>
  static void save(SpanOut& out, const Tuple& tuple) {
    std::apply([&out](const auto&... values) { C::save_arguments(out, values...); }, tuple);
  }
};

template <class How, class F, class... Ranges>
using MapCall = typename How::template Call<F, std::ranges::range_value_t<Ranges>...>;

template <class How, class F, class... Values>
struct CheckedCall {
  static consteval bool check() {
    if constexpr (check_no_future<Values...>()) {
      return check_call<F, Values...>();
    } else {
      return false;
    }
  }
};
template <class F, class Tuple>
struct CheckedCall<ElementsAreTuples, F, Tuple> {
  static consteval bool check() {
    static_assert(TupleLike<Tuple>,
                  "starmap takes each element apart into the arguments of a call: give a range of "
                  "std::tuple, std::pair or std::array, or call map");
    if constexpr (TupleLike<Tuple>) {
      return []<std::size_t... I>(std::index_sequence<I...>) {
        return CheckedCall<EachIsAnArgument, F, std::tuple_element_t<I, Tuple>...>::check();
      }(IndicesOf<Tuple>());
    } else {
      return false;
    }
  }
};

/// Refuses, with a sentence, what cannot be called with these ranges' elements.
template <class How, class F, class... Ranges>
consteval bool check_map() {
  return CheckedCall<How, F, std::ranges::range_value_t<Ranges>...>::check();
}

/// Encodes one element at the cursor into `batch`.
template <class How, class C, class AnyCursor>
void encode_element(Batch& batch, AnyCursor& cursor) {
  std::byte first[512];
  HeapSink sink;
  SpanOut out(first, sink);
  cursor.visit([&out](const auto&... values) {
    encode_by(out, [&](SpanOut& to) { How::template save<C>(to, values...); });
  });
  batch.elements.add(out.bytes());
  batch.attach(out.take_attachments());
}

/// Numbers need no alignment in an archive; a span that is seen in place does.
template <class... Values>
inline constexpr std::uint32_t element_alignment =
    (... && (std::is_arithmetic_v<Values> || std::is_enum_v<Values>)) ? 1 : 16;

template <class C, class F>
void encode_callable(Batch& batch, std::uint32_t alignment, const F& f) {
  std::byte first[512];
  HeapSink sink;
  SpanOut out(first, sink);
  encode_by(out, [&](SpanOut& to) { C::save_callable(to, f); });
  batch.elements.callable.assign(out.bytes().begin(), out.bytes().end());
  batch.elements.alignment = alignment;
  batch.attach(out.take_attachments());
}

/// Whether a map of these is flat: one contiguous range of exactly the callable's number.
template <class How, class C, class... Ranges>
inline constexpr bool is_flat_map = false;
template <class C, class Range>
  requires(C::Types::flat::possible && std::ranges::contiguous_range<Range> &&
           std::ranges::sized_range<Range>)
inline constexpr bool is_flat_map<EachIsAnArgument, C, Range> =
    std::is_same_v<std::ranges::range_value_t<Range>, typename C::Types::flat::Argument>;

/// Several ranges end with the shortest: one of them must be finite.
template <class... Ranges>
consteval bool check_finite() {
  constexpr bool finite =
      (!std::same_as<std::ranges::sentinel_t<Ranges>, std::unreachable_sentinel_t> || ...);
  static_assert(finite,
                "this call reads its whole input before it returns, and this range is infinite: "
                "use imap or imap_unordered, or bound the range");
  return finite;
}

/// Whether the input outlives the task.
enum class Input { borrowed, read };

template <Input input, class Range>
void lay_flat(Elements& elements, Range& range) {
  using T = std::ranges::range_value_t<Range>;
  const auto bytes = std::as_bytes(std::span<const T>(std::ranges::data(range),
                                                      std::ranges::size(range)));
  if constexpr (input == Input::borrowed) {
    elements.borrow(bytes, sizeof(T));
  } else {
    elements.copy(bytes, sizeof(T));
  }
}

}  // namespace procpool::inline v0::detail
