// expect: a Future is replaced by its value only as an argument of submit and apply: here, give its value, future.get()
#include <procpool/procpool.hpp>

#include <vector>

int twice(int x);

int main() {
  procpool::Pool pool;
  const std::vector<procpool::Future<int>> futures{pool.submit(twice, 1)};
  pool.map(twice, futures);
}
