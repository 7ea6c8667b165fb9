#pragma once

// What a map call reads from its input ranges, and what its finished batch becomes.

#include <concepts>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/encode.hpp>
#include <procpool/detail/passed.hpp>
#include <procpool/detail/progress.hpp>
#include <procpool/options.hpp>
#include <procpool/outcome.hpp>
#include <procpool/task.hpp>

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

[[noreturn]] void throw_never_started();

/// The value of one element's outcome, or its error thrown.
template <class R>
Stored<R> decode_element(const ElementOutcome& element) {
  switch (element.outcome) {
    case Outcome::value: return decode_value<R>(element.bytes);
    case Outcome::remote: std::rethrow_exception(rebuild_error(element.bytes));
    case Outcome::error: std::rethrow_exception(element.error);
    default: throw_never_started();
  }
}

template <class R>
struct MapResult {
  using type = std::vector<R>;
};
template <>
struct MapResult<void> {
  using type = void;
};
template <class R>
using map_result_t = typename MapResult<R>::type;

/// A map's node.
template <class R, class Whole, class Decode>
class BatchNode final : public Typed<Batch, Whole> {
 public:
  static Cell<Stored<Whole>>& look(Node& node) {
    auto& self = static_cast<BatchNode&>(node);
    self.cell.decode_once([&self]() -> Stored<Whole> {
      if (auto error = outcome_error(self)) std::rethrow_exception(std::move(error));
      return Decode::template all<R>(self);
    });
    return self.cell;
  }
  static constexpr Decoder<Whole> decoder{&look, std::is_void_v<Whole> ? &pass_void : &pass_batch};
};

/// All values in order, or the error of the lowest index thrown. Elements that were not started,
/// because another one had failed, say nothing while one has an error.
struct ValuesOrError {
  template <class R>
  static Stored<map_result_t<R>> all(const Batch& batch) {
    Stored<map_result_t<R>> whole;
    if constexpr (!std::is_void_v<R>) whole.reserve(batch.elements.count());
    bool never_started = false;
    for (OutcomeReader reader(batch); !reader.at_end();) {
      const ElementOutcome element = reader.next();
      if (element.outcome == Outcome::cancelled) {
        never_started = true;
      } else if constexpr (std::is_void_v<R>) {
        decode_element<void>(element);
      } else {
        whole.push_back(decode_element<R>(element));
      }
    }
    if (never_started) throw_never_started();
    return whole;
  }
};

/// Each element's value or its own error.
struct Settled {
  template <class R>
  static std::vector<v0::Outcome<R>> all(const Batch& batch) {
    std::vector<v0::Outcome<R>> whole;
    whole.reserve(batch.elements.count());
    for (OutcomeReader reader(batch); !reader.at_end();) {
      const ElementOutcome element = reader.next();
      whole.push_back(OutcomeAccess::make<R>(element.index, [&element]() -> decltype(auto) {
        return decode_element<R>(element);
      }));
    }
    return whole;
  }
};

template <class R>
using MapNode = BatchNode<R, map_result_t<R>, ValuesOrError>;
template <class R>
using SettledNode = BatchNode<R, std::vector<v0::Outcome<R>>, Settled>;

/// A flat map's node: workers' values are copied to where they belong as they come.
template <class R>
class FlatNode final : public Typed<Batch, std::vector<R>> {
 public:
  /// Once the elements are there.
  void make_room() {
    const std::size_t size = this->elements.count();
    placed_.reserve(size);
    advise_large(placed_.data(), size * sizeof(R));
    placed_.resize(size);
    this->sink = reinterpret_cast<std::byte*>(placed_.data());
    this->result_size = sizeof(R);
  }
  static Cell<std::vector<R>>& look(Node& node) {
    auto& self = static_cast<FlatNode&>(node);
    self.cell.decode_once([&self] {
      if (auto error = outcome_error(self)) std::rethrow_exception(std::move(error));
      return self.whole();
    });
    return self.cell;
  }
  /// Numbers only: decoding them is no more than copying them.
  static void pass(Node& node, SpanOut& out) {
    const std::vector<R>& values = look(node).get();
    pass_archive_size(out, sizeof(std::uint64_t) + values.size() * sizeof(R));
    save_elements(out, std::span<const R>(values));
  }
  static constexpr Decoder<std::vector<R>> decoder{&look, &pass, true};

 private:
  /// As ValuesOrError, for what did not go the flat way.
  std::vector<R> whole() {
    bool never_started = false;
    for (OutcomeReader reader(*this); !reader.at_end();) {
      const ElementOutcome element = reader.next();
      if (element.outcome == Outcome::placed) {
        reader.skip_run();
      } else if (element.outcome == Outcome::cancelled) {
        never_started = true;
        reader.skip_run();
      } else {
        placed_[element.index] = decode_element<R>(element);
      }
    }
    if (never_started) throw_never_started();
    return std::move(placed_);
  }

  std::vector<R> placed_;
};

/// Whether a map of these is flat: one contiguous range of exactly the callable's number.
template <class How, class C, class... Ranges>
inline constexpr bool is_flat_map = false;
template <class C, class Range>
  requires(C::Types::flat::possible && std::ranges::contiguous_range<Range> &&
           std::ranges::sized_range<Range>)
inline constexpr bool is_flat_map<EachIsAnArgument, C, Range> =
    std::is_same_v<std::ranges::range_value_t<Range>, typename C::Types::flat::Argument>;

/// Elements per chunk for a map of `count`, as asked for; 0: automatic. A bad wish throws Misuse.
std::uint32_t chunk_elements(ChunkSize wish, std::size_t count, int workers);

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

template <class Made>
auto submit_map(Core& core, Ref<Made> batch, const std::shared_ptr<const TaskOptions>& options,
                const MapOptions& map_options) {
  const std::uint32_t count = batch->elements.count();
  if (options) set_options(*batch, options);
  batch->chunk = chunk_elements(map_options.chunksize, count, core.processes());
  batch->fail_fast = map_options.fail_fast;
  if (map_options.progress) {
    batch->more().progress = std::make_shared<MapProgress>(map_options.progress, count);
  }
  core.submit_batch(*batch);
  if (options) watch_stop(*batch);
  return FutureAccess::make(Ref<Node>::adopt(batch.give_up()), &Made::decoder);
}

/// Reads the ranges, submits the elements as a node of the given kind (MapNode, SettledNode).
template <class How, template <class> class AnyNode, Input input, class F, class... Ranges>
auto make_map(Core& core, const std::shared_ptr<const TaskOptions>& options,
              const MapOptions& map_options, const F& f, Ranges&... ranges) {
  using C = MapCall<How, F, Ranges...>;
  using R = typename C::result_type;
  if constexpr (is_flat_map<How, C, Ranges...> && std::is_same_v<AnyNode<R>, MapNode<R>>) {
    auto batch = Ref<FlatNode<R>>::adopt(new FlatNode<R>);
    batch->descriptor = &C::descriptor();
    encode_callable<C>(*batch, 1, f);
    (lay_flat<input>(batch->elements, ranges), ...);
    batch->make_room();
    return submit_map(core, std::move(batch), options, map_options);
  } else {
    auto batch = Ref<AnyNode<R>>::adopt(new AnyNode<R>);
    batch->descriptor = &C::descriptor();
    encode_callable<C>(*batch, element_alignment<std::ranges::range_value_t<Ranges>...>,
                       f);
    Cursor<Ranges...> cursor(ranges...);
    for (; !cursor.at_end(); cursor.advance()) encode_element<How, C>(*batch, cursor);
    return submit_map(core, std::move(batch), options, map_options);
  }
}

}  // namespace procpool::inline v0::detail
