// expect: a C array cannot be an argument: pass a std::array, a std::vector or a std::span of it
#include <procpool/procpool.hpp>

int first(const int* numbers);

int main() {
  procpool::Pool pool;
  const int numbers[] = {1, 2, 3};
  return pool.apply(first, numbers);
}
