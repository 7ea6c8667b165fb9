// expect: a Future is replaced by its value only as an argument of submit and apply: here, give its value, future.get()
#include <procpool/procpool.hpp>

int add(int a, int b);

int main() {
  procpool::Pool pool;
  const procpool::Future<int> first = pool.submit(add, 1, 2);
  return pool.apply(procpool::partial(add, first), 3);
}
