#include <cstdio>
#include <procpool/procpool.hpp>
#include <vector>

int square(int x) { return x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool;
  std::vector<procpool::Future<int>> futures;
  for (int x = 0; x < 4; ++x) futures.push_back(pool.submit(square, x));
  for (int y : procpool::gather(futures).get()) std::printf("%d\n", y);
}
