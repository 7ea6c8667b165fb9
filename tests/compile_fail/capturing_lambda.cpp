// expect: a capturing lambda cannot be sent to another process: write [] and pass what it captures
#include <procpool/procpool.hpp>

int main() {
  procpool::Pool pool;
  const int offset = 1;
  return pool.apply([offset](int x) { return x + offset; }, 1);
}
