// What    Condition: a monitor and nothing else; who waits sits in it.
// Death   Of one who was notified: the others look again (monitor.hpp), which passes it on.

#include <procpool/detail/shared_sync.hpp>

#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {
namespace {

constexpr std::uint32_t a_notification = 1;  // topic

}  // namespace

MemoryRef make_condition(StateType type) {
  MemoryRef memory = make_shared_memory(sizeof(shared::MonitorMemory), type);
  shared::Monitor::init(shared::in<shared::MonitorMemory>(*memory));
  return memory;
}

void notify(SharedMemory& condition, std::size_t count) {
  shared::Monitor monitor(condition);
  monitor.about_to_change();
  if (count == SIZE_MAX) return monitor.wake_all(a_notification);
  while (count-- != 0 && monitor.wake_one(a_notification)) continue;
}

bool wait_condition(SharedMemory& condition, Time until, void (*unlock)(void*), void* context) {
  shared::Monitor monitor(condition);
  return monitor.wait_outside(a_notification, until, [&] { unlock(context); }) != shared::Reason::timeout;
}

}  // namespace procpool::inline v0::detail
