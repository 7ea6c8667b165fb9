// A program of somebody who uses procpool.
#include <cstdio>
#include <procpool/procpool.hpp>
#include <vector>

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  procpool::Pool pool(2);
  const auto squares = pool.map([](int x) { return x * x; }, std::vector{1, 2, 3});
  if (squares != std::vector{1, 4, 9}) {
    std::puts("wrong squares");
    return 1;
  }
  std::puts("1 4 9");
}
