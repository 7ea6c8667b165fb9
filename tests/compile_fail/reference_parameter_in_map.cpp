// expect: the callable has a T& parameter, and what a task writes to it would be lost: take T or const T&
#include <procpool/procpool.hpp>

#include <vector>

int main() {
  procpool::Pool pool;
  std::vector<int> numbers = {2, 1};
  pool.map([](int& x) { x *= 2; }, numbers);
}
