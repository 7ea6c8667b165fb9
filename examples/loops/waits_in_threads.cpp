#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;
using std::chrono::duration, std::chrono::milliseconds;

void io_task(int i) {
  std::printf("task %d waits\n", i);
  std::this_thread::sleep_for(milliseconds(500));  // as for a disk or a server
  std::printf("task %d is done\n", i);
}

int main() {
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(io_task, i);
  }
  std::printf("4 waits of 0.5 s: %.1f s\n", duration<double>(Clock::now() - start).count());
}
