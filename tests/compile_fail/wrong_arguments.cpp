// expect: the callable does not take these arguments: a task gets rvalues of their decayed types
#include <procpool/procpool.hpp>

#include <string>

std::size_t length(const std::string& text);

int main() {
  procpool::Pool pool;
  pool.apply(length, 1, 2);
}
