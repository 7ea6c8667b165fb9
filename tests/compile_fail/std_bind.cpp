// expect: what std::bind and std::bind_front make cannot be sent to another process: write procpool::partial(f, args...)
#include <procpool/procpool.hpp>

#include <functional>

int power(int base, int exponent);

int main() {
  procpool::Pool pool;
  return pool.apply(std::bind(power, 2, std::placeholders::_1), 3);
}
