#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>
#include <vector>

int square(int x) { return x * x; }
int half(int x) { return x / 2; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::vector<int> halves;
  {
    procpool::Pool pool;  // a worker for each processor that this program may use
    const std::vector<int> squares = pool.map(square, std::views::iota(0, 10));
    halves = pool.map(half, squares);  // by the same workers
  }
  for (int y : halves) std::printf("%d\n", y);
}
