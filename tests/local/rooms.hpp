// Where a test and the threads that run its tasks meet.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

namespace procpool::test {

struct Room {
  std::atomic<int> entered = 0;
  std::atomic<int> left = 0;
  std::atomic<bool> open = false;
  std::mutex lock;
  std::set<std::thread::id> threads;  // that entered
};

Room& fresh_room();
Room& this_room();  // the last one
void enter_room();
void leave_room();
void wait_until_left();     // until it is open
bool wait_for(int number);  // have entered

}  // namespace procpool::test
