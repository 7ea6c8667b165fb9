// What    Barrier: how many have arrived in the present round, and whether it is broken.
// Order   Who completes a round, breaks it or resets it tells each waiter so (Reason), for a waiter may
//         wake up when later rounds are over.
// Death   Of one who waits: whoever notices breaks the barrier.

#include <procpool/detail/shared_sync.hpp>
#include <procpool/errors.hpp>

#include <string>

#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {

using shared::Monitor;
using shared::Reason;

namespace {

constexpr std::uint32_t the_others = 1;  // topic

struct Round {
  std::uint64_t arrived;
  std::uint32_t broken;
  std::uint32_t by_death;
};

struct BarrierMemory {
  shared::MonitorMemory monitor;
  shared::Committed<Round> round;
  std::uint64_t parties;
};

[[noreturn]] void throw_broken(const Round& round) {
  throw BrokenBarrier(round.by_death != 0
                          ? "the barrier is broken: one who waited at it died; reset() it"
                          : "the barrier is broken: it was aborted or reset, or a wait timed out");
}

void break_it(BarrierMemory& b, Monitor& monitor, bool by_death) {
  monitor.about_to_change();
  b.round.set({0, 1, by_death ? 1U : 0U});
  monitor.wake_all(the_others, Reason::failed);
}

/// The dead who waited break it.
void note_deaths(BarrierMemory& b, Monitor& monitor) {
  monitor.bury();
  if (monitor.take_lost() && b.round.get().arrived != 0) break_it(b, monitor, true);
}

}  // namespace

MemoryRef make_barrier(std::int64_t parties, StateType type) {
  if (parties < 1 || parties > shared::most_seats) {
    throw Misuse("a barrier has 1 to " + std::to_string(shared::most_seats) + " parties (it is " +
                 std::to_string(parties) + ")");
  }
  MemoryRef memory = make_shared_memory(sizeof(BarrierMemory), type);
  auto& b = shared::in<BarrierMemory>(*memory);
  Monitor::init(b.monitor);
  b.parties = static_cast<std::uint64_t>(parties);
  return memory;
}

std::size_t arrive(SharedMemory& barrier, Time until) {
  Monitor monitor(barrier);
  auto& b = shared::in<BarrierMemory>(barrier);
  note_deaths(b, monitor);
  const Round now = b.round.get();
  if (now.broken != 0) throw_broken(now);
  if (now.arrived + 1 == b.parties) {
    monitor.about_to_change();
    b.round.set({});
    monitor.wake_all(the_others, Reason::passed);
    return now.arrived;
  }
  const auto arrived = [&] { b.round.set({now.arrived + 1, 0, 0}); };
  Reason reason = monitor.wait_after(the_others, until, arrived);
  while (reason == Reason::look) {
    note_deaths(b, monitor);
    if (b.round.get().broken != 0) reason = Reason::failed;
    if (reason == Reason::look) reason = monitor.wait(the_others, until);
  }
  if (reason == Reason::passed) return now.arrived;
  if (reason == Reason::timeout) break_it(b, monitor, false);
  throw_broken(b.round.get());
}

void break_barrier(SharedMemory& barrier) {
  Monitor monitor(barrier);
  break_it(shared::in<BarrierMemory>(barrier), monitor, false);
}

void reset_barrier(SharedMemory& barrier) {
  Monitor monitor(barrier);
  auto& b = shared::in<BarrierMemory>(barrier);
  monitor.bury();
  monitor.take_lost();
  monitor.about_to_change();
  b.round.set({});
  monitor.wake_all(the_others, Reason::failed);
}

BarrierPicture look_at_barrier(SharedMemory& barrier) {
  Monitor monitor(barrier);
  auto& b = shared::in<BarrierMemory>(barrier);
  note_deaths(b, monitor);
  const Round now = b.round.get();
  return {static_cast<std::size_t>(b.parties), static_cast<std::size_t>(now.arrived),
          now.broken != 0};
}

}  // namespace procpool::inline v0::detail
