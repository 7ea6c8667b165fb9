// A worker program of its own: named_tasks.cpp is all it has in common with the tests.
#include <procpool/procpool.hpp>

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  return 1;
}
