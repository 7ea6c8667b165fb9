#include <cstdio>
#include <procpool/procpool.hpp>
#include <ranges>

int process(int i) { return i * i; }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  for (int y : procpool::Pool(4).map(process, std::views::iota(0, 10))) std::printf("%d\n", y);
}
