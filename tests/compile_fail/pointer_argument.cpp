// expect: a pointer means nothing in another process: pass the object itself
#include <procpool/procpool.hpp>

int first(const int* numbers);

int main() {
  procpool::Pool pool;
  const int number = 1;
  return pool.apply(first, &number);
}
