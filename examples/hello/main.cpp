#include <cstdio>
#include <procpool/procpool.hpp>

int square(int x) { return x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool;
  for (int y : pool.map(square, {1, 2, 3})) std::printf("%d\n", y);
}
