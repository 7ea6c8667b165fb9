#include <unistd.h>

#include <cstdio>
#include <procpool/process.hpp>
#include <procpool/procpool.hpp>
#include <vector>

void work(int i) { std::printf("task %d in process %d\n", i, getpid()); }

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::vector<procpool::Process> processes;
  for (int i = 0; i < 20; ++i) {
    processes.emplace_back(work, i);
    processes.back().start();
  }
  for (auto& process : processes) process.join();
}
