// Pools that are made before main, and closed, terminated or destroyed there. What the program prints
// is the test.
#include <procpool/procpool.hpp>

#include <chrono>
#include <cstdio>
#include <string>

#include "method.hpp"

namespace {

using procpool::Future;
using procpool::Pool;

int square(int x) { return x * x; }

Pool make() { return Pool({.processes = 2, .start_method = method_before_main()}); }

Future<int> of_a_pool_that_is_gone() {
  const Pool gone = make();
  return gone.submit(square, 6);
}
const Future<int> orphan = of_a_pool_that_is_gone();

Pool closed = make();
const Future<int> early = closed.submit(square, 7);
Pool terminated = make();
const Future<int> ended = terminated.submit(square, 8);
Pool idle = make();

std::string join(const char* name, Pool& pool) try {
  pool.join();
  return std::string(name) + ": no error";
} catch (const procpool::Misuse& error) {
  return std::string(name) + ": " + error.what();
}

std::string before_main() {
  closed.close();
  terminated.terminate();
  idle.close();
  return join("idle", idle) + "\n" + join("terminated", terminated) + "\n" + join("closed", closed) +
         "\n" + std::to_string(closed.join_for(std::chrono::milliseconds(1)));
}
const std::string report = before_main();

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::printf("%s before init\n", report.c_str());
  std::printf("%d\n", orphan.get());
  closed.join();
  std::printf("%d\n", early.get());
  try {
    ended.get();
  } catch (const procpool::PoolTerminated&) {
    std::puts("PoolTerminated");
  }
  std::puts("end of main");
}
