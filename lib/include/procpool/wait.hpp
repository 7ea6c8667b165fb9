#pragma once

/// \file
/// Waiting for several futures. Python: concurrent.futures.wait (3.13).

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <procpool/detail/completions.hpp>
#include <procpool/detail/time.hpp>
#include <procpool/future.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0 {

/// What `wait` waits for.
enum class ReturnWhen {
  all_completed,    ///< each of them is done
  first_completed,  ///< any of them is done
  first_exception,  ///< any of them has failed, other than by being cancelled; else as all_completed
};

/// What `wait` returns: each task once, in the order in which they were given.
template <class R>
struct WaitResult {
  std::vector<Future<R>> done;      ///< those that were done when it returned
  std::vector<Future<R>> not_done;  ///< the others, which go on
};

namespace detail {

template <class R>
bool has_failed(const Future<R>& done) {
  return !done.cancelled() && done.exception() != nullptr;
}

template <class R>
void wait_for_some(const std::vector<Future<R>>& futures, ReturnWhen when, Time until) {
  std::vector<Future<R>> others;
  bool enough = false;
  for (const Future<R>& each : futures) {
    if (!each.ready()) {
      others.push_back(each);
    } else if (when == ReturnWhen::first_completed) {
      enough = true;
    } else if (when == ReturnWhen::first_exception) {
      enough = enough || has_failed(each);
    }
  }
  if (enough) return;
  PendingFutures<R> pending(others);
  while (pending.size() != 0) {
    const std::optional<Future<R>> next = pending.next(until);
    if (!next || when == ReturnWhen::first_completed) return;
    if (when == ReturnWhen::first_exception && has_failed(*next)) return;
  }
}

template <class R>
WaitResult<R> wait_until(std::vector<Future<R>> futures, ReturnWhen when, Time until) {
  wait_for_some(futures, when, until);
  WaitResult<R> result;
  for (Future<R>& each : futures) {
    (each.ready() ? result.done : result.not_done).push_back(std::move(each));
  }
  return result;
}

}  // namespace detail

///@{

/// Waits until the condition holds, for at most `timeout` where one is given, and says which are done
/// then; the others go on. They may be of several pools. Throws no task's error. With first_exception it
/// decodes what comes, on this thread. An empty future: Misuse. Python: concurrent.futures.wait.
template <detail::FutureRange Range>
auto wait(Range&& futures, ReturnWhen when = ReturnWhen::all_completed) {
  using R = detail::future_result_t<Range>;
  return detail::wait_until(detail::distinct<R>(futures), when, detail::forever);
}
template <detail::FutureRange Range, class Rep, class Period>
auto wait(Range&& futures, ReturnWhen when, std::chrono::duration<Rep, Period> timeout) {
  using R = detail::future_result_t<Range>;
  const detail::Time until = detail::time_after(timeout);
  return detail::wait_until(detail::distinct<R>(futures), when, until);
}
template <detail::FutureRange Range>
auto wait(Range&& futures, ReturnWhen when, std::optional<Duration> timeout) {
  using R = detail::future_result_t<Range>;
  const detail::Time until = timeout ? detail::time_after(*timeout) : detail::forever;
  return detail::wait_until(detail::distinct<R>(futures), when, until);
}
template <class R>
WaitResult<R> wait(std::initializer_list<Future<R>> futures,
                   ReturnWhen when = ReturnWhen::all_completed,
                   std::optional<Duration> timeout = {}) {
  const detail::Time until = timeout ? detail::time_after(*timeout) : detail::forever;
  return detail::wait_until(detail::distinct<R>(futures), when, until);
}
///@}

}  // namespace procpool::inline v0
