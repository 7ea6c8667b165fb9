#pragma once

/// \file
/// The calls that give a pool something to do. Python: multiprocessing.pool.Pool's and
/// concurrent.futures.Executor's (3.13), under their names.

#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/core.hpp>
#include <procpool/detail/encode.hpp>
#include <procpool/detail/map.hpp>
#include <procpool/detail/map_input.hpp>
#include <procpool/detail/stream.hpp>
#include <procpool/future.hpp>
#include <procpool/options.hpp>
#include <procpool/results.hpp>
#include <procpool/task.hpp>

namespace procpool::inline v0 {

namespace detail {

template <class Range>
concept InputRange = std::ranges::input_range<Range>;

}  // namespace detail

/// The submission calls, of a Pool and of what `with` returns; Self is the one or the other.
///
/// **What travels.** As with std::thread, each argument crosses as its std::decay_t and each element
/// as its range's value_type, and the callable gets them as rvalues (task.hpp has the whole rule). A
/// callable or argument that cannot be sent is refused at compile time with what to write instead.
///
/// **Errors.** Each call throws, before anything has been submitted: EncodingError when an argument
/// cannot be encoded; PoolClosed after `close`, PoolTerminated after `terminate`, PoolBroken when
/// workers cannot be started any more, Misuse on a moved-from pool or on a pool that a fork copied.
/// What a task throws comes out of the future, map, or iterator.
///
/// **Waiting.** Where PoolOptions::max_pending_bytes is set, `submit` and the map calls wait while
/// too much is pending, except in the pool's own callbacks.
///
/// **Threads.** Every call may be made from any thread, callbacks included.
template <class Self>
class Submissions {
 public:
  /// Runs `f(args...)` in a worker and waits: its value, or its error thrown. (Pool.apply)
  template <class F, class... Args>
  auto apply(F&& f, Args&&... args) const -> task_result_t<F, Args...> {
    return submit(std::forward<F>(f), std::forward<Args>(args)...).get();
  }
  ///@{

  /// Returns at once: the future of `f(args...)` in a worker. (Pool.apply_async, Executor.submit: one
  /// call under both its Python names.)
  template <class F, class... Args>
  auto submit(F&& f, Args&&... args) const -> Future<task_result_t<F, Args...>> {
    static_cast<void>(detail::check_call<F, Args...>());
    if constexpr (task<F, Args...>) {
      return detail::make_call<F, Args...>(core(), detail::Admission::wait, task_options(), f,
                                           args...);
    } else {
      return {};
    }
  }
  template <class F, class... Args>
  auto apply_async(F&& f, Args&&... args) const -> Future<task_result_t<F, Args...>> {
    return submit(std::forward<F>(f), std::forward<Args>(args)...);
  }
  ///@}

  /// As submit, but where that would wait because of PoolOptions::max_pending_bytes it takes
  /// nothing and returns nullopt.
  template <class F, class... Args>
  [[nodiscard]] auto try_submit(F&& f, Args&&... args) const
      -> std::optional<Future<task_result_t<F, Args...>>> {
    static_cast<void>(detail::check_call<F, Args...>());
    if constexpr (task<F, Args...>) {
      auto future = detail::make_call<F, Args...>(core(), detail::Admission::decline,
                                                  task_options(), f, args...);
      if (future.valid()) return future;
    }
    return std::nullopt;
  }

  ///@{

  /// `f` of every element, in the order of the input: a std::vector of results, or nothing where `f`
  /// returns void. Reads the whole input, waits for every element and only then throws, the error of
  /// the lowest index (Python's Pool.map: of the first to arrive). Several ranges are walked in step,
  /// the shortest ends it; options for these come through `with`. An exception of the input range comes
  /// out of the call; nothing was submitted. Misuse for a negative chunksize.
  template <class F, detail::InputRange Range>
  auto map(F&& f, Range&& range, MapOptions options) const {
    return borrowing(options, f, range).get();
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  auto map(F&& f, Range&& range, Ranges&&... ranges) const {
    return borrowing(map_options(), f, range, ranges...).get();
  }
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return borrowing(options, f, elements).get();
  }
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> elements) const {
    return borrowing(map_options(), f, elements).get();
  }
  ///@}

  ///@{

  /// As map, returning at once with one future for the whole. The input has been read then.
  /// (Pool.map_async)
  template <class F, detail::InputRange Range>
  auto map_async(F&& f, Range&& range, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(options, f, range);
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  auto map_async(F&& f, Range&& range, Ranges&&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(map_options(), f, range, ranges...);
  }
  template <class F, class T>
  auto map_async(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(options, f, elements);
  }
  template <class F, class T>
  auto map_async(F&& f, std::initializer_list<T> elements) const {
    return eager<detail::EachIsAnArgument, detail::MapNode>(map_options(), f, elements);
  }
  ///@}

  ///@{

  /// As map, but a std::vector of Outcome: waits for every element and throws no task's error; each
  /// place holds the value or that element's own error. The loss of a worker costs one place.
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto map_settled(F&& f, Range&& range, MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(options, f, range).get();
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto map_settled(F&& f, Range&& range, Ranges&&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(map_options(), f, range,
                                                                ranges...)
        .get();
  }
  template <class F, class T>
  [[nodiscard]] auto map_settled(F&& f, std::initializer_list<T> elements,
                                 MapOptions options) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(options, f, elements).get();
  }
  template <class F, class T>
  [[nodiscard]] auto map_settled(F&& f, std::initializer_list<T> elements) const {
    return eager<detail::EachIsAnArgument, detail::SettledNode>(map_options(), f, elements).get();
  }
  ///@}

  ///@{

  /// As map, each element a tuple-like (tuple, pair, array) of arguments. (Pool.starmap)
  template <class F, detail::InputRange Range>
  auto starmap(F&& f, Range&& tuples, MapOptions options) const {
    return eager<detail::ElementsAreTuples, detail::MapNode>(options, f, tuples).get();
  }
  template <class F, detail::InputRange Range>
  auto starmap(F&& f, Range&& tuples) const {
    return starmap(std::forward<F>(f), tuples, map_options());
  }
  ///@}
  ///@{

  /// As map_async, each element a tuple-like of arguments. (Pool.starmap_async)
  template <class F, detail::InputRange Range>
  auto starmap_async(F&& f, Range&& tuples, MapOptions options) const {
    return eager<detail::ElementsAreTuples, detail::MapNode>(options, f, tuples);
  }
  template <class F, detail::InputRange Range>
  auto starmap_async(F&& f, Range&& tuples) const {
    return starmap_async(std::forward<F>(f), tuples, map_options());
  }
  ///@}

  ///@{

  /// A lazy range of results in the order of the input; see Results. Automatic chunks are of 1 element,
  /// as in Python; python_chunks are Misuse, for the number of elements is not known. (Pool.imap)
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto imap(F&& f, Range&& range, MapOptions options) const {
    return lazy(detail::Order::of_input, options, std::forward<F>(f), std::forward<Range>(range));
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto imap(F&& f, Range&& range, Ranges&&... ranges) const {
    return lazy(detail::Order::of_input, map_options(), std::forward<F>(f),
                std::forward<Range>(range), std::forward<Ranges>(ranges)...);
  }
  template <class F, class T>
  [[nodiscard]] auto imap(F&& f, std::initializer_list<T> elements, MapOptions options) const {
    return imap(std::forward<F>(f), std::vector<T>(elements), options);
  }
  template <class F, class T>
  [[nodiscard]] auto imap(F&& f, std::initializer_list<T> elements) const {
    return imap(std::forward<F>(f), std::vector<T>(elements), map_options());
  }
  ///@}

  ///@{

  /// As imap, in order of completion. (Pool.imap_unordered)
  template <class F, detail::InputRange Range>
  [[nodiscard]] auto imap_unordered(F&& f, Range&& range, MapOptions options) const {
    return lazy(detail::Order::of_completion, options, std::forward<F>(f),
                std::forward<Range>(range));
  }
  template <class F, detail::InputRange Range, detail::InputRange... Ranges>
  [[nodiscard]] auto imap_unordered(F&& f, Range&& range, Ranges&&... ranges) const {
    return lazy(detail::Order::of_completion, map_options(), std::forward<F>(f),
                std::forward<Range>(range), std::forward<Ranges>(ranges)...);
  }
  template <class F, class T>
  [[nodiscard]] auto imap_unordered(F&& f, std::initializer_list<T> elements,
                                    MapOptions options) const {
    return imap_unordered(std::forward<F>(f), std::vector<T>(elements), options);
  }
  template <class F, class T>
  [[nodiscard]] auto imap_unordered(F&& f, std::initializer_list<T> elements) const {
    return imap_unordered(std::forward<F>(f), std::vector<T>(elements), map_options());
  }
  ///@}

 private:
  detail::Core& core() const { return static_cast<const Self*>(this)->submission_core(); }
  const std::shared_ptr<const TaskOptions>& task_options() const {
    return static_cast<const Self*>(this)->submission_task();
  }
  MapOptions map_options() const { return static_cast<const Self*>(this)->submission_map(); }

  /// A map that is waited for here: its input stays where it is.
  template <class F, class... Ranges>
  auto borrowing(const MapOptions& options, F& f, Ranges&... ranges) const {
    return eager<detail::EachIsAnArgument, detail::MapNode, detail::Input::borrowed>(options, f,
                                                                                     ranges...);
  }
  template <class How, template <class> class AnyNode,
            detail::Input input = detail::Input::read, class F, class... Ranges>
  auto eager(const MapOptions& options, F& f, Ranges&... ranges) const {
    if constexpr (detail::check_finite<Ranges...>() && detail::check_map<How, F, Ranges...>()) {
      return detail::make_map<How, AnyNode, input>(core(), task_options(), options, f, ranges...);
    } else {
      using R = typename detail::MapCall<How, F, Ranges...>::result_type;
      return detail::FutureAccess::make({}, &AnyNode<R>::decoder);
    }
  }
  template <class F, class... Ranges>
  auto lazy(detail::Order order, const MapOptions& options, F&& f, Ranges&&... ranges) const {
    using How = detail::EachIsAnArgument;
    using R =
        typename detail::MapCall<How, F, std::remove_reference_t<Ranges>...>::result_type;
    if constexpr (detail::check_map<How, F, std::remove_reference_t<Ranges>...>()) {
      using FeedType = detail::RangeFeed<How, F, Ranges...>;
      const auto asked = detail::stream_options(order, options, task_options(), core().processes());
      return detail::ResultsAccess::make<R>(std::make_unique<detail::Stream>(
          core(), asked,
          std::make_unique<FeedType>(std::forward<F>(f), std::forward<Ranges>(ranges)...)));
    } else {
      return detail::ResultsAccess::make<R>(nullptr);
    }
  }
};

}  // namespace procpool::inline v0
