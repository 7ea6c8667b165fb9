// expect: a Future<void> has no value that could be an argument: wait() for it before this call
#include <procpool/procpool.hpp>

void prepare();
int twice(int x);

int main() {
  procpool::Pool pool;
  const procpool::Future<> prepared = pool.submit(prepare);
  return pool.submit(twice, prepared).get();
}
