// procpool-worker: a program that is nothing but a worker, for `PoolOptions::worker_executable`.

#include <cstdio>

#include <procpool/program.hpp>

int main(int argc, char** argv) {
  procpool::init(argc, argv);  // does not return when a pool started this process
  std::fputs(
      "procpool-worker: a pool starts this program (PoolOptions::worker_executable); "
      "it does nothing by hand\n",
      stderr);
  return 2;
}
