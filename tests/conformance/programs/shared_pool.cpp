// The pool that a process shares, of worker processes: one that is over is followed by another, and
// what ends with the program leaves nothing behind. What the program prints is the test.
#include <signal.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <numeric>
#include <ranges>

#include "method.hpp"
#include "resources.hpp"

namespace {

int square(int x) { return x * x; }
void crash() { raise(SIGKILL); }

int sum() {
  const auto squares = procpool::parallel_map(square, std::views::iota(0, 10));
  return std::accumulate(squares.begin(), squares.end(), 0);
}

template <class Call>
void report(const char* what, Call call) {
  try {
    call();
    std::printf("%s: no error\n", what);
  } catch (const procpool::PoolBroken&) {
    std::printf("%s: PoolBroken\n", what);
  } catch (const procpool::WorkerCrashed&) {
    std::printf("%s: WorkerCrashed\n", what);
  }
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const auto method = method_of(argc > 1 ? argv[1] : "");
  procpool::set_default_pool(
      {.processes = 2, .start_method = method, .max_start_failures = 1});
  std::printf("first: %d\n", sum());
  const procpool::Pool* const first = &procpool::default_pool();

  report("crash", [] { procpool::default_pool().apply(crash); });
  std::printf("healed: %d, %s\n", sum(), &procpool::default_pool() == first ? "the same" : "another");

  allow_no_new_descriptors();
  report("no replacement", [] {
    for (;;) {
      try {
        procpool::default_pool().apply(crash);
      } catch (const procpool::WorkerCrashed&) {
        continue;  // until none is left
      }
    }
  });
  allow_descriptors(1024);
  std::printf("broken: %d, %s\n", sum(), &procpool::default_pool() == first ? "the same" : "another");

  procpool::default_pool().terminate();
  std::printf("terminated: %d\n", sum());
  procpool::default_pool().close();
  std::printf("closed: %d\n", sum());
}
