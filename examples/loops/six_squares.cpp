#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

int square(int x) { return x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool(4);
  for (int y : pool.map(square, std::views::iota(0, 6))) std::printf("%d\n", y);
}
