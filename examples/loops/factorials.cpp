#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

long factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool(4);
  for (long f : pool.map(factorial, std::views::iota(0, 10))) std::printf("%ld\n", f);
}
