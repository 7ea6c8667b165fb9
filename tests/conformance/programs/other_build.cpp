// A worker that is another program: it has the library, and none of the test's tasks.
#include <procpool/procpool.hpp>

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  return 1;
}
