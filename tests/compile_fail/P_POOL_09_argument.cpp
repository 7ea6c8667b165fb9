// expect: a Pool cannot be an argument, it belongs to its process
#include <procpool/procpool.hpp>

#include <utility>

int main() {
  procpool::Pool pool;
  procpool::Pool other;
  pool.submit([](procpool::Pool) {}, std::move(other));
}
