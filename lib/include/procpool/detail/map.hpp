#pragma once

// A map call: what its finished batch becomes, and how it is submitted.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/encode.hpp>
#include <procpool/detail/map_input.hpp>
#include <procpool/detail/passed.hpp>
#include <procpool/detail/progress.hpp>
#include <procpool/options.hpp>
#include <procpool/outcome.hpp>

namespace procpool::inline v0::detail {

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
class BatchNode final : public Typed<BatchNode<R, Whole, Decode>, Batch, Whole> {
 public:
  Stored<Whole> decode() const { return Decode::template all<R>(*this); }
  static constexpr Decoder<Whole> decoder{&BatchNode::look,
                                          std::is_void_v<Whole> ? &pass_void : &pass_batch};
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
class FlatNode final : public Typed<FlatNode<R>, Batch, std::vector<R>> {
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
  /// As ValuesOrError, for what did not go the flat way.
  std::vector<R> decode() {
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
  /// Numbers only: decoding them is no more than copying them.
  static void pass(Node& node, SpanOut& out) {
    const std::vector<R>& values = FlatNode::look(node).get();
    pass_archive_size(out, sizeof(std::uint64_t) + values.size() * sizeof(R));
    save_elements(out, std::span<const R>(values));
  }
  static constexpr Decoder<std::vector<R>> decoder{&FlatNode::look, &pass, true};

 private:
  std::vector<R> placed_;
};

/// Elements per chunk for a map of `count`, as asked for; 0: automatic. A bad wish throws Misuse.
std::uint32_t chunk_elements(ChunkSize wish, std::size_t count, int workers);

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
