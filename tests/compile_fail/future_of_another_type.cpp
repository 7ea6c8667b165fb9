// expect: the callable does not take these arguments
#include <procpool/procpool.hpp>

#include <string>

int length(const std::string& text);
int one();

int main() {
  procpool::Pool pool;
  return pool.submit(length, pool.submit(one)).get();
}
