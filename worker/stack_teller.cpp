#include "worker/stack_teller.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <span>

#include "os/event.hpp"
#include "os/stack.hpp"
#include "os/stack_signal.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::worker {

namespace {

channel::WorkerEnd* home = nullptr;
std::atomic<std::uint64_t> running = 0;

std::uint32_t write_stack(std::span<std::byte> room, void* context) noexcept {
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::size_t count = os::capture_interrupted(frames, context, false);
  return static_cast<std::uint32_t>(os::write_stack(std::span(frames).first(count), room));
}

/// A wish can come late, when what it is about has ended; and anybody can send the signal.
void tell(void* context) noexcept {
  const std::uint64_t wanted = shm::load_ordered(home->stack_wanted());
  shm::StackRecord& record = home->stack_record();
  if (wanted == 0 || wanted != shm::load_hint(running) || shm::load_hint(record.of) == wanted) return;
  record.size = os::stack_takes_no_lock() ? write_stack(record.bytes, context) : 0;
  shm::store_ordered(record.of, wanted);
  os::ring(home->leader_bell());
  os::ring(home->background_bell());
}

}  // namespace

void tell_stacks(channel::WorkerEnd& end) {
  home = &end;
  os::warm_up_unwinder();
  os::answer_stack_signal(tell);
}

/// A signal that came when this had started already, and did not say so yet, was in vain.
void now_runs(std::uint64_t word) noexcept {
  shm::store_release(running, word);
  asm volatile("" ::: "memory");  // the signal comes to this thread: the compiler's order is enough
  if (word != 0 && home != nullptr && shm::load_hint(home->stack_wanted()) == word) {
    std::raise(os::stack_signal);
  }
}

}  // namespace procpool::inline v0::worker
