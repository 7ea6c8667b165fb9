// expect: a capturing lambda cannot be sent to another process: write [] and pass what it captures
#include <procpool/procpool.hpp>

#include <vector>

int main() {
  procpool::Pool pool;
  int sum = 0;
  pool.map([&sum](int x) { sum += x; }, std::vector{1, 2, 3});
}
