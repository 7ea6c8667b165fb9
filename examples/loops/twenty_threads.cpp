#include <unistd.h>

#include <cstdio>
#include <thread>
#include <vector>

void work(int i) { std::printf("task %d in thread %d\n", i, gettid()); }

int main() {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back(work, i);
}
