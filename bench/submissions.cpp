// Many no-ops, submitted one by one, each with a future that is kept and asked. What a future costs
// to destroy counts, too.

#include <algorithm>
#include <future>
#include <memory>
#include <procpool/pool.hpp>
#include <thread>

#include "bench/contests.hpp"
#include "bench/python_peer.hpp"
#include "bench/tasks.hpp"
#include "bench/tbb_pool.hpp"
#include "bench/thread_pool.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

constexpr int workers = 2;
/// A thread for each task: fewer are enough to tell.
constexpr std::size_t async_tasks = 20'000;

/// Times the best thread pool's rate.
std::optional<double> goal_from(std::size_t submitters) {
  if (submitters == 1) return 3.0;
  if (submitters == 4) return 2.0;
  return std::nullopt;
}

template <class Submit>
void submit_and_get(std::size_t tasks, Submit& submit) {
  std::vector<decltype(submit())> futures;
  futures.reserve(tasks);
  for (std::size_t i = 0; i != tasks; ++i) futures.push_back(submit());
  for (auto& future : futures) future.get();
}

template <class Submit>
double million_per_second(std::size_t tasks, std::size_t submitters, Submit submit) {
  const double time = seconds([&] {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < submitters; ++i) {
      others.emplace_back([&] { submit_and_get(tasks / submitters, submit); });
    }
    submit_and_get(tasks / submitters, submit);
  });
  return static_cast<double>(tasks) / time / 1e6;
}

Sides set_up(std::size_t tasks, std::size_t submitters) {
  const auto pool = std::make_shared<procpool::Pool>(workers);
  const auto threads = std::make_shared<ThreadPool>(workers);
  Sides sides;
  sides.ours = [=] {
    return million_per_second(tasks, submitters, [&] { return pool->submit(no_op); });
  };
  sides.peers.push_back(
      {"asio", asio_name, goal_from(submitters), [=] {
         return million_per_second(tasks, submitters, [&] { return threads->submit(no_op); });
       }});
  add_tbb(
      sides, workers,
      [=](TbbPool& tbb) {
        return million_per_second(tasks, submitters, [&] { return tbb.submit(no_op); });
      },
      goal_from(submitters));
  sides.peers.push_back({"async", "std::async", goal_from(submitters), [=] {
                           return million_per_second(std::min(tasks, async_tasks), submitters, [] {
                             return std::async(std::launch::async, no_op);
                           });
                         }});
  if (submitters != 1) return sides;
  for (const PythonKind& kind : {python_pool, python_executor}) {
    const std::size_t fewer = tasks / 100;
    add_python(sides, kind, workers, "submit " + std::to_string(fewer),
               kind.kind == python_pool.kind ? std::optional(100.0) : std::nullopt,
               [=](double time) { return static_cast<double>(fewer) / time / 1e6; });
  }
  return sides;
}

}  // namespace

std::vector<Contest> submissions(const Scale& scale) {
  std::vector<Contest> contests;
  for (const std::size_t submitters : {1, 2, 4}) {
    const std::size_t tasks = scale.amount<std::size_t>(1'000'000);
    contests.push_back({"submit/from_" + std::to_string(submitters), "M tasks/s", Better::higher,
                        scale.rounds(9), [=] { return set_up(tasks, submitters); }});
  }
  return contests;
}

}  // namespace bench
