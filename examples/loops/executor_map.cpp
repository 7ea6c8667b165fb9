#include <cstdio>
#include <procpool/procpool.hpp>
#include <vector>

int square(int x) { return x * x; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  const std::vector<int> numbers = {5, 3, 1, 4, 2};
  procpool::Pool pool(4);
  auto number = numbers.begin();
  for (int y : pool.imap(square, numbers)) std::printf("%d squared is %d\n", *number++, y);
}
