#include <algorithm>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

std::mutex mutex;
std::vector<int> results;

void work(int x) {
  const int y = x * x;
  const std::scoped_lock lock(mutex);
  results.push_back(y);
}

int main() {
  {
    std::vector<std::jthread> threads;
    for (int x = 0; x < 10; ++x) threads.emplace_back(work, x);
  }
  std::ranges::sort(results);
  for (int y : results) std::printf("%d\n", y);
}
