// expect: starmap takes each element apart into the arguments of a call: give a range of
// std::tuple, std::pair or std::array, or call map
#include <procpool/procpool.hpp>

#include <vector>

int main() {
  procpool::Pool pool;
  std::vector<int> numbers = {2, 1};
  pool.starmap([](int x) { return 2 * x; }, numbers);
}
