// expect: this cannot be called: pass a function, a captureless lambda, a functor
#include <procpool/procpool.hpp>

int main() {
  procpool::Pool pool;
  pool.apply(42, 1);
}
