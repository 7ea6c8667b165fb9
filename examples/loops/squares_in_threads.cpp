#include <cstdio>
#include <thread>
#include <vector>

void print_square(int x) { std::printf("%d\n", x * x); }

int main() {
  std::vector<std::jthread> threads;
  for (int x : {1, 2, 3, 4, 5}) threads.emplace_back(print_square, x);
}  // a jthread joins at its end
