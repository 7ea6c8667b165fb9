// expect: a functor is made anew in the worker: give it a default constructor
#include <procpool/procpool.hpp>

struct Add {
  explicit Add(int offset) : offset(offset) {}
  int operator()(int x) const { return x + offset; }
  int offset;
};

int main() {
  procpool::Pool pool;
  return pool.apply(Add(1), 1);
}
