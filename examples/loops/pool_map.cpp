#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

int cube(int x) { return x * x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool;
  for (int y : pool.map(cube, std::views::iota(0, 100))) std::printf("%d\n", y);
}
