// expect: a std::function cannot be sent to another process: pass the function
#include <procpool/procpool.hpp>

#include <functional>

int main() {
  procpool::Pool pool;
  const std::function<int(int)> negate = [](int x) { return -x; };
  return pool.apply(negate, 1);
}
