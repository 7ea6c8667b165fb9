#include <cstdio>
#include <procpool/procpool.hpp>

int square(int x) { return x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool(4);
  for (int x = 0; x < 5; ++x) std::printf("%d\n", pool.apply(square, x));
}
