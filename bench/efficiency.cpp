// Tasks of a known length on all processors: how near the whole comes to the work divided by the
// processors. 1 is ideal.

#include <chrono>
#include <memory>
#include <procpool/pool.hpp>
#include <procpool/program.hpp>
#include <string>
#include <vector>

#include "bench/contests.hpp"
#include "bench/python_peer.hpp"
#include "bench/tbb_pool.hpp"
#include "bench/thread_pool.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

/// On a processor for so long, whatever the machine.
void work(std::uint32_t microseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
  while (std::chrono::steady_clock::now() < end) {
  }
}

template <class Submit>
double share_of_ideal(std::size_t tasks, std::uint32_t microseconds, int workers, Submit submit) {
  const double time = seconds([&] {
    std::vector<decltype(submit())> futures;
    futures.reserve(tasks);
    for (std::size_t i = 0; i != tasks; ++i) futures.push_back(submit());
    for (auto& future : futures) future.get();
  });
  return static_cast<double>(tasks) * microseconds * 1e-6 / workers / time;
}

Sides set_up(std::size_t tasks, std::uint32_t microseconds) {
  const int workers = procpool::usable_cpus();
  const auto pool = std::make_shared<procpool::Pool>(workers);
  const auto threads = std::make_shared<ThreadPool>(static_cast<std::size_t>(workers));
  Sides sides;
  sides.ours = [=] {
    return share_of_ideal(tasks, microseconds, workers,
                          [&] { return pool->submit(work, microseconds); });
  };
  sides.peers.push_back({"asio", asio_name, std::nullopt, [=] {
                           return share_of_ideal(tasks, microseconds, workers, [&] {
                             return threads->submit([=] { work(microseconds); });
                           });
                         }});
  add_tbb(sides, workers, [=](TbbPool& tbb) {
    return share_of_ideal(tasks, microseconds, workers,
                          [&] { return tbb.submit([=] { work(microseconds); }); });
  });
  const std::string request =
      "sleepless " + std::to_string(tasks) + " " + std::to_string(microseconds);
  for (const PythonKind& kind : {python_pool, python_executor}) {
    add_python(sides, kind, workers, request, std::nullopt, [=](double time) {
      return static_cast<double>(tasks) * microseconds * 1e-6 / workers / time;
    });
  }
  return sides;
}

/// Beside the ideal, which is not run but reckoned.
Sides beside_ideal(std::size_t tasks, std::uint32_t microseconds) {
  Sides sides = set_up(tasks, microseconds);
  sides.peers.insert(sides.peers.begin(), {"ideal", "work / processors",
                                           microseconds >= 100 ? std::optional(0.97) : std::nullopt,
                                           [] { return 1.0; }});
  return sides;
}

}  // namespace

std::vector<Contest> efficiency(const Scale& scale) {
  std::vector<Contest> contests;
  for (const auto& [name, length] : {std::pair{"10us", 10U}, std::pair{"100us", 100U},
                                     std::pair{"1ms", 1'000U}, std::pair{"10ms", 10'000U}}) {
    const std::size_t tasks = scale.amount<std::size_t>(1'000'000 / length);
    contests.push_back(
        {std::string("efficiency/") + name, "of ideal", Better::higher, scale.rounds(11),
         [=, length = length] { return beside_ideal(std::max<std::size_t>(tasks, 10), length); }});
  }
  return contests;
}

}  // namespace bench
