#include "local/rooms.hpp"

#include <memory>
#include <vector>

namespace procpool::test {
namespace {

// Kept until the end: a task that was given up may still look at it.
std::vector<std::unique_ptr<Room>>& rooms() {
  static std::vector<std::unique_ptr<Room>> all;
  return all;
}
std::atomic<Room*> present = nullptr;

}  // namespace

Room& fresh_room() {
  rooms().push_back(std::make_unique<Room>());
  present = rooms().back().get();
  return *present;
}

Room& this_room() { return *present; }

void enter_room() {
  Room& room = *present;
  {
    const std::lock_guard lock(room.lock);
    room.threads.insert(std::this_thread::get_id());
  }
  ++room.entered;
  room.entered.notify_all();
}

void leave_room() { ++present.load()->left; }

void wait_until_left() {
  const Room& room = *present;
  while (!room.open) std::this_thread::yield();
}

bool wait_for(int number) {
  const Room& room = *present;
  for (int now = room.entered; now < number; now = room.entered) room.entered.wait(now);
  return true;
}

}  // namespace procpool::test
