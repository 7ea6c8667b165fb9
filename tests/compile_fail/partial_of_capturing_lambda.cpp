// expect: a capturing lambda cannot be sent to another process: write [] and pass what it captures
#include <procpool/procpool.hpp>

int main() {
  procpool::Pool pool;
  const int offset = 1;
  return pool.apply(procpool::partial([offset](int x, int y) { return x + y + offset; }, 1), 2);
}
