// Prints how many processes a pool has that is told no number. With the argument "one_cpu" this
// process may run on one processor only.
#include <sched.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <string_view>

#include "method.hpp"

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  if (argc > 2 && std::string_view(argv[2]) == "one_cpu") {
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    sched_setaffinity(0, sizeof one, &one);
  }
  const procpool::Pool pool({.start_method = method_of(argc > 1 ? argv[1] : "")});
  std::printf("%d %zu\n", pool.processes(), pool.pids().size());
}
