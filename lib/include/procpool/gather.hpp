#pragma once

/// \file
/// Several futures as one. Python: asyncio.gather, dask.

#include <cstddef>
#include <exception>
#include <initializer_list>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <procpool/detail/completions.hpp>
#include <procpool/detail/gathering.hpp>
#include <procpool/detail/passed.hpp>
#include <procpool/future.hpp>

namespace procpool::inline v0 {

namespace detail {

/// Where an R goes in a tuple or vector.
template <class R>
using gathered_t = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

template <class R>
gathered_t<R> take_gathered(const Future<R>& part) {
  if constexpr (std::is_void_v<R>) {
    FutureAccess::take(part);
    return {};
  } else {
    return FutureAccess::take(part);
  }
}

template <class R>
void throw_failure(const Future<R>& part) {
  if (auto error = part.exception()) std::rethrow_exception(std::move(error));
}

/// Calls `f` with all parts, whether tuple or vector, one after the other.
template <class... R, class F>
void for_each_part(const std::tuple<Future<R>...>& parts, F f) {
  std::apply([&f](const auto&... part) { (f(part), ...); }, parts);
}
template <class R, class F>
void for_each_part(const std::vector<Future<R>>& parts, F f) {
  for (const Future<R>& part : parts) f(part);
}

template <class... R>
auto take_all(const std::tuple<Future<R>...>& parts) {
  return std::apply(
      [](const auto&... part) { return std::tuple<gathered_t<R>...>{take_gathered(part)...}; }, parts);
}
template <class R>
auto take_all(const std::vector<Future<R>>& parts) {
  std::vector<gathered_t<R>> all;
  all.reserve(parts.size());
  for (const Future<R>& part : parts) all.push_back(take_gathered(part));
  return all;
}

template <class Parts, class Whole>
class GatherNode final : public Typed<GatherNode<Parts, Whole>, Node, Whole> {
 public:
  explicit GatherNode(Parts of) : parts(std::move(of)) {}

  Whole decode() const {
    for_each_part(parts, [](const auto& part) { throw_failure(part); });
    return take_all(parts);
  }
  static void pass(Node& node, SpanOut& out) {
    auto& self = static_cast<GatherNode&>(node);
    if (auto error = outcome_error(self)) std::rethrow_exception(std::move(error));
    std::size_t count = 0;
    for_each_part(self.parts, [&count](const auto&) { ++count; });
    pass_count(out, count);
    for_each_part(self.parts, [&out](const auto& part) {
      FutureAccess::decoder(part).pass(FutureAccess::node(part), out);
    });
  }
  static constexpr Decoder<Whole> decoder{&GatherNode::look, &pass};

  const Parts parts;
};

template <class Whole, class Parts>
Future<Whole> gather_parts(Parts parts) {
  using Made = GatherNode<Parts, Whole>;
  std::vector<LibraryRef<Node>> nodes;
  for_each_part(parts, [&nodes](const auto& part) {
    nodes.push_back(LibraryRef<Node>::share(&FutureAccess::node(part)));
  });
  auto whole = Ref<Made>::adopt(new Made(std::move(parts)));
  end_with(*whole, std::move(nodes));
  return FutureAccess::make(Ref<Node>::adopt(whole.give_up()), &Made::decoder);
}

}  // namespace detail

/// One future for all of them, which may be of several pools: done when each of them is, with their
/// values, or else with the error of the first of them, by position, that failed. std::monostate stands
/// for void.
///
/// It is a future like any other: wait for it, await it, pass it to `submit`, gather it again. `cancel`
/// cancels all that are not done, `running` means any of them, `on_progress` tells of each; callbacks
/// run on the callback thread of one of the pools. Values are moved out of futures of which it has the
/// last handle (`gather(std::move(a), std::move(b))`), else copied; a move-only value that other handles
/// share: Misuse, at `get`. An empty future: Misuse, here.
template <class... R>
[[nodiscard]] Future<std::tuple<detail::gathered_t<R>...>> gather(Future<R>... futures) {
  return detail::gather_parts<std::tuple<detail::gathered_t<R>...>>(
      std::tuple<Future<R>...>(std::move(futures)...));
}
///@{

/// The same for any range of futures, in its order. Handles are moved out of a container that is given
/// away.
template <detail::FutureRange Range>
[[nodiscard]] auto gather(Range&& futures) {
  using R = detail::future_result_t<Range>;
  constexpr bool given_away = !std::is_lvalue_reference_v<Range> &&
                              !std::ranges::enable_view<std::remove_cvref_t<Range>> &&
                              !std::ranges::enable_borrowed_range<std::remove_cvref_t<Range>>;
  std::vector<Future<R>> parts;
  for (auto&& each : futures) {
    if constexpr (given_away) {
      parts.push_back(std::move(each));
    } else {
      parts.push_back(each);
    }
  }
  return detail::gather_parts<std::vector<detail::gathered_t<R>>>(std::move(parts));
}
template <class R>
[[nodiscard]] auto gather(std::initializer_list<Future<R>> futures) {
  return detail::gather_parts<std::vector<detail::gathered_t<R>>>(std::vector<Future<R>>(futures));
}
///@}

}  // namespace procpool::inline v0
