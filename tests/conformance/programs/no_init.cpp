// Forgets init. Says what came of making a pool with the start method named first.
#include <procpool/procpool.hpp>

#include <cstdio>

#include "method.hpp"

int half(int x) { return x / 2; }

int main(int argc, char** argv) {
  try {
    const procpool::Pool pool({.processes = 2, .start_method = method_of(argc > 1 ? argv[1] : "")});
    std::printf("%d\n", pool.apply(half, 84));
  } catch (const procpool::Misuse& error) {
    std::printf("Misuse: %s\n", error.what());
    return 3;
  }
}
