// Lock and RLock: a robust mutex in a memory of its own.

#include <procpool/detail/shared_lock.hpp>
#include <procpool/errors.hpp>

#include "base/deadline.hpp"
#include "os/event.hpp"
#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {

using os::Taken;
using shared::in;

namespace {

[[noreturn]] void throw_owner_died() {
  throw OwnerDied("whoever held this lock died; it is free again, and what it protects may be half "
                  "changed");
}

/// Nobody else unlocks it: a thread that has it and may wait for it waits in vain.
bool wait_in_vain(Time until) {
  if (until == forever) {
    throw Misuse("this thread has the lock already and would wait for itself: use RLock");
  }
  const std::atomic<std::uint32_t> nothing = 0;
  while (os::futex_wait(nothing, 0, os::Scope::process, until)) continue;
  return false;
}

}  // namespace

MemoryRef make_lock(bool recursive, StateType type) {
  MemoryRef memory = make_shared_memory(sizeof(os::RobustMutex), type);
  in<os::RobustMutex>(*memory).init(recursive ? os::RobustMutex::Kind::recursive
                                              : os::RobustMutex::Kind::plain);
  return memory;
}

bool acquire_lock(SharedMemory& lock, Time until) {
  auto& mutex = in<os::RobustMutex>(lock);
  lock.pin();  // until it is unlocked
  const Taken taken = until == Time() ? mutex.try_lock() : mutex.lock(until);
  if (taken == Taken::yes) return true;
  if (taken == Taken::from_the_dead) {
    mutex.repaired();
    mutex.unlock();
  }
  lock.unpin();
  if (taken == Taken::from_the_dead) throw_owner_died();
  return taken == Taken::mine_already && until != Time() && wait_in_vain(until);
}

void release_lock(SharedMemory& lock) {
  if (!in<os::RobustMutex>(lock).unlock()) {
    throw Misuse("unlock: this thread does not have the lock");
  }
  lock.unpin();
}

}  // namespace procpool::inline v0::detail
