// What    Semaphore: free = all - held. A permit of those it was made with is held by a seat; one
//         beyond them is used up when it is taken.
// Death   Each change is one store: of `all`, or of a seat's count. A dead holder's seat is cleared
//         (monitor.hpp), and what it held is free.

#include <procpool/detail/shared_sync.hpp>
#include <procpool/errors.hpp>

#include <limits>
#include <string>

#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {
namespace {

constexpr std::uint32_t a_permit = 1;  // topic
constexpr std::int64_t most_permits = std::numeric_limits<std::int32_t>::max();

struct SemaphoreMemory {
  shared::MonitorMemory monitor;
  std::uint64_t all;
  std::uint64_t initial;
  std::uint32_t bounded;
};

std::uint64_t free_permits(const SemaphoreMemory& s, const shared::Monitor& monitor) {
  return s.all - monitor.held();
}

void take(SemaphoreMemory& s, shared::Monitor& monitor) {
  if (monitor.held() < s.initial) {
    monitor.hold_one();
  } else {
    --s.all;
  }
}

}  // namespace

MemoryRef make_semaphore(std::int64_t permits, bool bounded, StateType type) {
  if (permits < 0 || permits > most_permits) {
    throw Misuse("a semaphore begins with 0 to " + std::to_string(most_permits) +
                 " permits (it is " + std::to_string(permits) + ")");
  }
  MemoryRef memory = make_shared_memory(sizeof(SemaphoreMemory), type);
  auto& s = shared::in<SemaphoreMemory>(*memory);
  shared::Monitor::init(s.monitor);
  s.all = s.initial = static_cast<std::uint64_t>(permits);
  s.bounded = bounded ? 1 : 0;
  return memory;
}

bool acquire_permit(SharedMemory& semaphore, Time until) {
  shared::Monitor monitor(semaphore);
  auto& s = shared::in<SemaphoreMemory>(semaphore);
  for (bool in_time = true;;) {
    if (free_permits(s, monitor) == 0) monitor.bury();
    if (monitor.take_death()) {
      monitor.about_to_change();
      monitor.wake_one(a_permit);  // this one goes without what it may have been woken for
      throw OwnerDied("a process that held a permit of this semaphore died; the permit is back, and "
                      "what it protects may be half changed");
    }
    if (free_permits(s, monitor) != 0) {
      take(s, monitor);
      return true;
    }
    if (!in_time || until == Time()) return false;
    in_time = monitor.wait(a_permit, until) != shared::Reason::timeout;
  }
}

void release_permits(SharedMemory& semaphore, std::int64_t count) {
  if (count < 1) {
    throw Misuse("release: at least 1 permit (it is " + std::to_string(count) + ")");
  }
  shared::Monitor monitor(semaphore);
  auto& s = shared::in<SemaphoreMemory>(semaphore);
  const auto wanted = static_cast<std::uint64_t>(count);
  const std::uint64_t most = s.bounded != 0 ? s.initial : std::uint64_t{most_permits};
  const std::uint64_t free = free_permits(s, monitor);
  if (wanted > most - std::min(free, most)) {
    throw Misuse("release: the semaphore would have more than " + std::to_string(most) +
                 " permits: each release needs an acquire before it");
  }
  monitor.about_to_change();
  for (std::uint64_t i = 0; i != wanted; ++i) {
    if (!monitor.release_one()) ++s.all;
    monitor.wake_one(a_permit);
  }
}

std::uint64_t permits(SharedMemory& semaphore) {
  shared::Monitor monitor(semaphore);
  auto& s = shared::in<SemaphoreMemory>(semaphore);
  monitor.bury();
  return free_permits(s, monitor);
}

}  // namespace procpool::inline v0::detail
