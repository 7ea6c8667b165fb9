#include <cstdio>
#include <procpool/procpool.hpp>

bool in_worker() { return procpool::in_worker(); }

int main(int argc, char** argv) {
  // Workers are started from this program's file, so they come through main, too. In a worker, init
  // runs tasks until the pool ends and does not return: what is below happens once, in the program.
  // Without init such a pool cannot be made (Misuse), so workers never start workers by mistake.
  procpool::init(argc, argv);
  std::printf("main: %s\n", procpool::in_worker() ? "a worker" : "the program");

  procpool::Pool pool({.processes = 2, .start_method = procpool::StartMethod::spawn});
  std::printf("task: %s\n", pool.apply(in_worker) ? "a worker" : "the program");
}
