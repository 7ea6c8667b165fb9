#include "worker/stack_teller.hpp"

#include <array>
#include <atomic>
#include <span>

#include "os/event.hpp"
#include "os/stack.hpp"
#include "os/stack_signal.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::worker {

namespace {

channel::WorkerEnd* home = nullptr;
std::atomic<std::uint64_t> running = 0;

/// A wish can come late, when what it is about has ended; and anybody can send the signal.
void tell(void* context) noexcept {
  const std::uint64_t wanted = shm::load_ordered(home->stack_wanted());
  shm::StackRecord& record = home->stack_record();
  if (wanted == 0 || wanted != shm::load_hint(running) || shm::load_hint(record.of) == wanted) return;
  std::array<std::uintptr_t, os::max_frames> frames;
  const std::size_t count = os::capture_interrupted(frames, context);
  record.size =
      static_cast<std::uint32_t>(os::write_stack(std::span(frames).first(count), record.bytes));
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

void now_runs(std::uint64_t word) noexcept { shm::store_release(running, word); }

}  // namespace procpool::inline v0::worker
