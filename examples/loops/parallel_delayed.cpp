#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

int process(int i) { return i * i; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::set_default_pool({.processes = 4});
  for (int y : procpool::parallel_map(process, std::views::iota(0, 10))) std::printf("%d\n", y);
}
