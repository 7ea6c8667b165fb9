#pragma once

/// \file
/// One call for programs that want no pool of their own. Python: joblib.Parallel.

#include <utility>

#include <procpool/pool.hpp>

namespace procpool::inline v0 {

/// The pool that this process shares: made at its first use, usable_cpus() workers that leave after
/// they were idle for five minutes and come back when they are needed; closed and joined at exit. Its
/// tasks' own default pool runs them one by one, in the worker (Backend::sequential), so that pools
/// within pools do not multiply, as in joblib. A forked copy of this process makes its own. One that was
/// closed, terminated or broken is followed by a new one at the next use, as loky's reusable executor is;
/// what was returned before stays valid until exit. Throws what Pool's constructor throws; then the next
/// use tries again. Thread-safe.
Pool& default_pool();

/// What `default_pool` is made with in this process. Before its first use, else Misuse. Thread-safe.
void set_default_pool(PoolOptions options);

/// `default_pool().map(f, range, options)`.
template <class F, detail::InputRange Range>
auto parallel_map(F&& f, Range&& range, MapOptions options = {}) {
  return default_pool().map(std::forward<F>(f), std::forward<Range>(range), std::move(options));
}

}  // namespace procpool::inline v0
