// expect: a Future is replaced by its value only as an argument of submit and apply: here, give its value, future.get()
#include <procpool/procpool.hpp>

#include <tuple>
#include <vector>

int add(int a, int b);

int main() {
  procpool::Pool pool;
  const std::vector<std::tuple<int, procpool::Future<int>>> pairs{{1, pool.submit(add, 1, 2)}};
  pool.starmap(add, pairs);
}
