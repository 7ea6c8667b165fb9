// imap over a range without an end: what stays in memory of ten million elements that went through.

#include <fstream>
#include <iterator>
#include <memory>
#include <procpool/pool.hpp>
#include <ranges>
#include <stdexcept>
#include <unistd.h>

#include "bench/contests.hpp"

namespace bench {
namespace {

int plus_one(int x) { return x + 1; }

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  statm >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double growth(procpool::Pool& pool, std::size_t elements) {
  auto results = pool.imap(plus_one, std::views::iota(0), {.chunksize = 500});
  auto at = results.begin();
  const auto walk = [&](std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) ++at;
  };
  walk(elements / 100);  // by then all that is kept for the whole way is there
  const double before = resident_bytes();
  walk(elements);
  if (at.index() != elements / 100 + elements) throw std::logic_error("elements were lost");
  return resident_bytes() - before;
}

}  // namespace

std::vector<Contest> streams(const Scale& scale) {
  const std::size_t elements = scale.amount<std::size_t>(10'000'000);
  return {{"imap/resident_growth", "bytes", Better::lower, scale.rounds(3),
           [=] {
             const auto pool = std::make_shared<procpool::Pool>(2);
             return Sides{[=] { return growth(*pool, elements); }};
           },
           1024.0 * 1024}};
}

}  // namespace bench
