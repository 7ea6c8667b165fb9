// expect: the callable has a T& parameter, and what a task writes to it would be lost: take T or const T&
#include <procpool/procpool.hpp>

#include <vector>

void sort(std::vector<int>& numbers);

int main() {
  procpool::Pool pool;
  std::vector<int> numbers = {2, 1};
  pool.apply(sort, numbers);
}
