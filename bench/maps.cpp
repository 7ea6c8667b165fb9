// x + 1 over many integers: what a map costs when the work is next to nothing. The thread pool works
// on the caller's memory, in chunks made by hand.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <procpool/pool.hpp>

#include "bench/contests.hpp"
#include "bench/python_peer.hpp"
#include "bench/thread_pool.hpp"
#include "bench/timing.hpp"

#ifdef PROCPOOL_BENCH_TBB
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#endif

namespace bench {
namespace {

using Numbers = std::vector<std::int64_t>;

constexpr int workers = 2;
constexpr std::size_t chunk = 100'000;

std::int64_t plus_one(std::int64_t x) { return x + 1; }

Numbers map_by_hand(ThreadPool& threads, const Numbers& input) {
  Numbers output(input.size());
  std::vector<std::future<void>> futures;
  for (std::size_t first = 0; first < input.size(); first += chunk) {
    const auto from = input.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = static_cast<std::ptrdiff_t>(std::min(chunk, input.size() - first));
    const auto to = output.begin() + static_cast<std::ptrdiff_t>(first);
    futures.push_back(threads.submit([=] { std::transform(from, from + count, to, plus_one); }));
  }
  for (auto& future : futures) future.get();
  return output;
}

#ifdef PROCPOOL_BENCH_TBB
/// What crosses into a process and back is copied; so it is here.
Numbers map_by_tbb(const Numbers& input) {
  const Numbers in(input);
  Numbers out(in.size());
  oneapi::tbb::parallel_for(oneapi::tbb::blocked_range<std::size_t>(0, in.size()),
                            [&](const auto& range) {
                              for (std::size_t i = range.begin(); i != range.end(); ++i) {
                                out[i] = plus_one(in[i]);
                              }
                            });
  return Numbers(out);
}
#endif

template <class Map>
double million_per_second(const Numbers& input, Map map) {
  Numbers output;
  const double time = seconds([&] { output = map(input); });
  if (output.size() != input.size() || output.back() != input.back() + 1) {
    throw std::logic_error("the map's result is wrong");
  }
  return static_cast<double>(input.size()) / time / 1e6;
}

Sides set_up(std::size_t elements) {
  const auto input = std::make_shared<Numbers>(elements);
  std::iota(input->begin(), input->end(), 0);
  const auto pool = std::make_shared<procpool::Pool>(workers);
  const auto threads = std::make_shared<ThreadPool>(workers);
  Sides sides;
  sides.ours = [=] {
    return million_per_second(*input, [&](const Numbers& in) { return pool->map(plus_one, in); });
  };
  sides.peers.push_back({"asio", "asio, chunks by hand", 0.5, [=] {
                           return million_per_second(*input, [&](const Numbers& in) {
                             return map_by_hand(*threads, in);
                           });
                         }});
#ifdef PROCPOOL_BENCH_TBB
  sides.peers.push_back({"tbb", "oneTBB parallel_for, copies", 0.8, [=] {
                           return million_per_second(*input, map_by_tbb);
                         }});
#endif
  const std::size_t fewer = input->size() / 10;
  for (const PythonKind& kind : {python_pool, python_executor}) {
    add_python(sides, kind, workers, "map " + std::to_string(fewer),
               kind.kind == python_pool.kind ? std::optional(50.0) : std::nullopt,
               [=](double time) { return static_cast<double>(fewer) / time / 1e6; });
  }
  return sides;
}

}  // namespace

std::vector<Contest> maps(const Scale& scale) {
  const std::size_t elements = scale.amount<std::size_t>(10'000'000);
  return {{"map/plus_one", "M elements/s", Better::higher, scale.rounds(5),
           [=] { return set_up(elements); }}};
}

}  // namespace bench
