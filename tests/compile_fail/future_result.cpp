// expect: a task cannot return a Future: return its value, future.get()
#include <procpool/procpool.hpp>

procpool::Future<int> later(int x);

int main() {
  procpool::Pool pool;
  pool.submit(later, 1);
}
