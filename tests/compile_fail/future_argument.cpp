// expect: a Future cannot be an argument: pass its value, future.get()
#include <procpool/procpool.hpp>

int twice(int x);

int main() {
  procpool::Pool pool;
  const procpool::Future<int> first = pool.submit(twice, 1);
  return pool.submit(twice, first).get();
}
