// A pool that is made before main and destroyed after it. What the program prints is the test: a
// worker or template in which the pool were not inert would print too, or make pools without end.
#include <procpool/procpool.hpp>

#include <chrono>
#include <cstdio>
#include <string>

#include "method.hpp"

namespace {

int square(int x) { return x * x; }

procpool::Pool make() {
  procpool::Pool made({.processes = 2, .start_method = method_before_main()});
  return made;
}
procpool::Pool pool = make();
const procpool::Future<int> early = pool.submit(square, 7);

std::string get_before_main() try {
  return early.wait_for(std::chrono::milliseconds(1)) ? "it was done" : std::to_string(early.get());
} catch (const procpool::Misuse& error) {
  return error.what();
}
const std::string too_early = get_before_main();

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::puts("made before main");
  std::puts(too_early.c_str());
  std::printf("%d\n", early.get());
  std::printf("%d\n", pool.apply(square, 8));
  for (int i = 0; i != 100; ++i) pool.submit(square, i);
  std::puts("end of main");
}
