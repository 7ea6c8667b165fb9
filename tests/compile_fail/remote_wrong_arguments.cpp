// expect: the callable does not take these arguments
#include <procpool/named.hpp>
#include <procpool/procpool.hpp>

int main() {
  const procpool::Pool pool;
  return pool.apply(procpool::remote<int(int, int)>("add"), 1);
}
