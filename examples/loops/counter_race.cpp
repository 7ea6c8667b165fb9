#include <cstdio>
#include <mutex>
#include <procpool/process.hpp>
#include <procpool/procpool.hpp>
#include <procpool/shared.hpp>
#include <vector>

using procpool::Barrier, procpool::Lock, procpool::Process;
using Counter = procpool::SharedValue<int>;

constexpr int times = 500'000;

void increment(Counter counter) { counter.store(counter.load() + 1); }

void race(Counter counter, Barrier start) {
  start.arrive_and_wait();
  for (int i = 0; i < times; ++i) increment(counter);
}

void take_turns(Counter counter, Barrier start, Lock lock) {
  start.arrive_and_wait();
  for (int i = 0; i < times; ++i) {
    const std::scoped_lock held(lock);
    increment(counter);
  }
}

// What four processes have counted together.
template <class... Args>
int count(void (*work)(Counter, Barrier, Args...), Args... args) {
  const Counter counter(0);
  const Barrier start(4);
  {
    std::vector<Process> processes;
    for (int i = 0; i < 4; ++i) {
      processes.emplace_back(work, counter, start, args...);
      processes.back().start();
    }
  }  // a Process joins at its end
  return counter.load();
}

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  std::printf("expected: %d\n", 4 * times);
  std::printf("without a lock: %d\n", count(race));
  std::printf("with a lock: %d\n", count(take_turns, Lock()));
}
