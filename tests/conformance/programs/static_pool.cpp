// A pool that is made before main and destroyed after it. What the program prints is the test: a
// worker or template in which the pool were not inert would print too, or make pools without end.
#include <procpool/procpool.hpp>

#include <cstdio>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }

procpool::Pool make() {
  procpool::Pool made({.processes = 2, .start_method = method_before_main()});
  return made;
}
procpool::Pool pool = make();
const procpool::Future<int> early = pool.submit(square, 7);

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::puts("made before main");
  std::printf("%d\n", early.get());
  std::printf("%d\n", pool.apply(square, 8));
  for (int i = 0; i != 100; ++i) pool.submit(square, i);
  std::puts("end of main");
}
