// expect: the data of this functor cannot be sent to another process: make it a struct of shippable members
#include <procpool/procpool.hpp>

struct Count {
  int* total = nullptr;
  void operator()(int x) const { *total += x; }
};

int main() {
  procpool::Pool pool;
  pool.apply(Count(), 1);
}
