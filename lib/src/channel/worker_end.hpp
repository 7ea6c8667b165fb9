#pragma once

// What    A worker's end of the channel: reads slots, claims elements, publishes outcomes, sleeps.
// Writers The worker's one task-running thread.
// Death   Of the supervisor: the lifeline kills this process; no call here ever returns because of
//         it. Of this process: see host_end.hpp.

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/patience.hpp"
#include "channel/slab.hpp"
#include "channel/stage.hpp"
#include "channel/worker_slabs.hpp"
#include "os/event.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"
#include "shm/claim.hpp"
#include "shm/doorbell.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/slots.hpp"
#include "wire/hooks.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::channel {

/// What a worker exits with when it can no longer reach its supervisor: the task closed
/// descriptors that were not its own.
inline constexpr int exit_unreachable = 113;
/// And when a task ended the one thread that runs tasks (pthread_exit).
inline constexpr int exit_thread_ended = 114;
/// And when it could not get as far as saying hello: the reason is on stderr.
inline constexpr int exit_not_started = 115;

/// What the start message brings.
struct Attachment {
  os::Fd control;
  os::Mapping pool_page;
  os::Mapping tasks;
  os::Mapping results;
  os::Fd leader_bell;
  os::Fd background_bell;
  os::Fd tether;
  os::Mapping hooks;  // of no size: there are none
  os::Mapping rules;  // the same
};

/// What a new worker is told first: what it is to be.
struct FirstWord {
  wire::ControlKind kind;
  std::uint32_t extras;  // wire::StartExtras
  std::vector<os::Fd> fds;
};
/// Waits for it. Nobody is there any more to say it: ends this process. Throws std::runtime_error
/// when it is not of this version.
FirstWord receive_first_word(const os::Fd& control);

/// Maps what comes with a start message; the memories' descriptors are closed then.
Attachment attach(os::Fd control, FirstWord start);

class WorkerEnd {
 public:
  explicit WorkerEnd(Attachment attachment);

  void say_hello(std::uint64_t identity);

  /// Takes in what home has sent of shared state; does not wait.
  void take_control();

  /// Sleeps until there is a slot to look at. False: `stop` was set instead (it is looked at before
  /// every sleep and after every wake-up).
  bool wait_for_slot(const std::atomic<bool>* stop = nullptr);
  wire::CallHeader header() const;
  /// The call's bytes, with the name at their end: in the slot, the arena, or a slab.
  std::span<const std::byte> payload(const wire::CallHeader& header);
  /// Of the current slot, as outcomes name it.
  std::uint32_t call() const { return static_cast<std::uint32_t>(slots_.sequence()); }
  /// Claims the next elements of the current slot, at most `block`; empty: none is left for this
  /// worker.
  shm::Range take(std::uint32_t count, bool taken_before, std::uint32_t block = 1);
  /// Where the results of the current slot's flat chunk go, and which element of it is run.
  std::byte* stage_results(const wire::CallHeader& header);
  shm::Word64& running() { return results().header.running; }
  /// `heard`: an outcome has told home that this slot was reached. Otherwise home is told before
  /// this worker sleeps: a slot that was taken back is used again only once it was passed.
  void pass_slot(bool heard);

  /// Room in the ring for a record of `bytes`; waits for it. Empty: it can never fit.
  std::span<std::byte> reserve(std::uint32_t bytes);
  void publish(wire::RecordKind kind, std::uint32_t bytes);
  /// Whether the element of this word was asked to stop.
  bool stop_requested(std::uint64_t word) const;
  /// The words behind that, for a thread that waits for it.
  const shm::TaskHeader& stop_words() const { return tasks().header; }
  std::uint64_t word_of(std::uint32_t element) const;

  /// Tells home something that concerns no call.
  void tell(wire::ControlKind kind, std::uint64_t value = 0);
  /// What a hook threw, as an error record. One that is too large for the ring is not told.
  void tell_start_error(wire::HookKind hook, std::span<const std::byte> record);
  /// By how much this process may grow; 0: it does not matter.
  std::uint64_t memory_growth() const { return pool_page().memory_growth; }
  const os::Mapping& hooks() const { return at_.hooks; }
  const os::Mapping& rules() const { return at_.rules; }

  // Last words (worker/last_words.hpp).
  shm::CrashRecord& crash_record() { return results().crash; }
  shm::StderrTail& stderr_tail() { return results().stderr_tail; }
  bool tells_crashes() const { return pool_page().crash_handlers != 0; }
  // Of the element that runs (worker/stack_teller.hpp).
  const shm::Word64& stack_wanted() const { return tasks().header.stack_wanted; }
  shm::StackRecord& stack_record() { return results().stack; }
  int leader_bell() const { return at_.leader_bell.get(); }
  int background_bell() const { return at_.background_bell.get(); }

  /// A room of `bytes` for a large outcome, which begins with a copy of `used`; `growing`: more may be
  /// needed. Another one, or an outcome elsewhere, may be asked for before it is sent. nullopt and
  /// `reason` (an errno): there is no memory for it.
  std::optional<WorkerSlabs::Room> room(std::span<const std::byte> used, std::uint64_t bytes,
                                        bool growing, int& reason);
  /// The outcome that lies in it is published next.
  void send_room(const wire::SlabOutcome& outcome) { slabs_.sent(outcome.slab); }

 private:
  shm::TaskMemory& tasks() const {
    return *reinterpret_cast<shm::TaskMemory*>(at_.tasks.data());
  }
  shm::ResultMemory& results() const {
    return *reinterpret_cast<shm::ResultMemory*>(at_.results.data());
  }
  const shm::PoolPage& pool_page() const {
    return *reinterpret_cast<const shm::PoolPage*>(at_.pool_page.data());
  }

  template <class Ready>
  void sleep_until(Ready ready);
  void tell_passed();
  void tell_taken();
  void ring_home();
  bool control_waits() const;
  struct Packet {
    wire::Control control{};
    std::vector<os::Fd> memories;
  };
  std::optional<Packet> next_control(Deadline until);
  Packet receive_control() { return *next_control(never); }
  void keep(Packet packet);
  static Slab slab_of(Packet& packet);
  std::optional<Packet> receive_room(int& reason);
  std::uint32_t stage_block(const wire::CallHeader& header);
  std::span<const std::byte> call_slab(std::uint32_t number);

  Attachment at_;
  shm::SlotReader<shm::Slot, shm::Word64> slots_;
  shm::RingWriter<shm::Word64> ring_;
  shm::HomeRinger<shm::Word64> home_;
  shm::WorkerSleep<shm::Word32> sleep_;
  Patience patience_;
  bool passed_silently_ = false;
  std::uint32_t control_taken_ = 0;
  WorkerSlabs slabs_;
  bool stage_came_ = false;  // stage.hpp
  Slab stage_arguments_;
  Slab stage_results_;
};

}  // namespace procpool::inline v0::channel
