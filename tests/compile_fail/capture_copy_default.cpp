// expect: a lambda that captures nothing is written [], not [&] or [=]
#include <procpool/procpool.hpp>

int main() {
  procpool::Pool pool;
  return pool.apply([=](int x) { return x + 1; }, 1);
}
