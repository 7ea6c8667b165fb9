#pragma once

// oneTBB as a pool with futures: task_arena::enqueue of a std::packaged_task. Only where the
// package libtbb-dev is; else its rows are left out.

#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "bench/contest.hpp"

#ifdef PROCPOOL_BENCH_TBB
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#endif

namespace bench {

inline constexpr const char* tbb_name = "oneTBB + packaged_task";

#ifdef PROCPOOL_BENCH_TBB
class TbbPool {
 public:
  /// So many threads besides the caller's, which only waits.
  explicit TbbPool(int threads)
      : limit_(oneapi::tbb::global_control::max_allowed_parallelism,
               static_cast<std::size_t>(threads) + 1),
        arena_(threads + 1, 1) {}

  template <class F>
  std::future<std::invoke_result_t<F&>> submit(F f) {
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<F&>()>>(std::move(f));
    auto future = task->get_future();
    arena_.enqueue([task = std::move(task)] { (*task)(); });
    return future;
  }

 private:
  oneapi::tbb::global_control limit_;
  oneapi::tbb::task_arena arena_;
};

template <class Work>
void add_tbb(Sides& sides, int threads, Work work, std::optional<double> goal = {}) {
  const auto tbb = std::make_shared<TbbPool>(threads);
  sides.peers.push_back({"tbb", tbb_name, goal, [=] { return work(*tbb); }});
}
#else
struct TbbPool {
  template <class F>
  std::future<std::invoke_result_t<F&>> submit(F) {
    return {};
  }
};

template <class Work>
void add_tbb(Sides&, int, Work, std::optional<double> = {}) {}
#endif

}  // namespace bench
