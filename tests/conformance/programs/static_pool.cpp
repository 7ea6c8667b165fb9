// A pool that is made before main and destroyed after it. What the program prints is the test: a
// worker or template in which the pool were not inert would print too, or make pools without end.
#include <unistd.h>
#include <procpool/procpool.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }

// The arguments of main, before main.
std::string first_argument() {
  std::ifstream file("/proc/self/cmdline");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::string first = line.substr(line.find('\0') + 1);
  return first.c_str();
}

procpool::Pool make() {
  procpool::Pool made({.processes = 2, .start_method = method_of(first_argument())});
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
