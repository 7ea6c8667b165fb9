// expect: a Future inside another argument is not replaced by its value: pass the futures as arguments of their own, or procpool::gather(futures)
#include <procpool/procpool.hpp>

#include <vector>

int sum(const std::vector<int>& numbers);
int one();

int main() {
  procpool::Pool pool;
  const std::vector<procpool::Future<int>> futures{pool.submit(one)};
  return pool.submit(sum, futures).get();
}
