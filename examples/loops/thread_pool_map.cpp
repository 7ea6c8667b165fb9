#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

int cube(int x) { return x * x * x; }

int main() {
  procpool::ThreadPool pool;
  for (int y : pool.map(cube, std::views::iota(0, 100))) std::printf("%d\n", y);
}
