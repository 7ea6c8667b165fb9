// What    Event: one futex word that counts changes, odd while it is set.
// Writers Anybody, by one atomic step each; setting wakes the sleepers in the same step.
// Order   A sleeper goes on when the word is another than it saw: it was set in between.
// Death   Of anybody: nothing is left behind.

#include <procpool/detail/shared_sync.hpp>

#include "os/event.hpp"
#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {
namespace {

shared::Word& word_of(const SharedMemory& event) {
  return *reinterpret_cast<shared::Word*>(event.data());
}

}  // namespace

MemoryRef make_event(StateType type) { return make_shared_memory(sizeof(shared::Word), type); }

bool event_is_set(const SharedMemory& event) noexcept {
  return shm::load_acquire(word_of(event)) % 2 == 1;
}

void set_event(SharedMemory& event) noexcept { os::futex_set_and_wake(word_of(event), 1); }

void clear_event(SharedMemory& event) noexcept {
  auto& word = word_of(event);
  std::uint32_t seen = shm::load_acquire(word);
  while (seen % 2 == 1 && !shm::exchange_if(word, seen, seen + 1)) continue;
}

bool wait_event(SharedMemory& event, Time until) noexcept {
  const auto& word = word_of(event);
  const std::uint32_t seen = shm::load_acquire(word);
  while (seen % 2 == 0 && shm::load_acquire(word) == seen) {
    if (!os::futex_wait(word, seen, os::Scope::shared, until)) {
      return shm::load_acquire(word) != seen;
    }
  }
  return true;
}

}  // namespace procpool::inline v0::detail
