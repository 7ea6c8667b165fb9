// expect: use of deleted function
// expect-clang: deleted
#include <procpool/procpool.hpp>

int main() {
  procpool::Pool pool;
  procpool::Pool copy = pool;
}
