#pragma once

// What    The supervisor's end of the channel to one worker: its slots, arena and claim words, its
//         result ring, its bells and its control socket.
// Writers Under the supervisor's lock, except the constructor, which only allocates.
// Death   Of the worker: everything here stays readable until this object goes, and with it every
//         byte the two shared. Nothing has a name, so nothing else is left.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "channel/rooms.hpp"
#include "channel/slab.hpp"
#include "channel/stage.hpp"
#include "os/event.hpp"
#include "os/memory.hpp"
#include "os/socket.hpp"
#include "shared/shared_memory.hpp"
#include "shm/arena.hpp"
#include "shm/claim.hpp"
#include "shm/doorbell.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/slots.hpp"
#include "wire/messages.hpp"

namespace procpool::inline v0::channel {

/// One outcome, still in memory the worker can write: copy, then check.
struct Arrival {
  wire::RecordKind kind;
  wire::OutcomeHeader header;
  std::span<const std::byte> bytes;
};

/// What every worker of a pool is started with.
struct StartFiles {
  const os::Fd& pool_page;
  const os::Fd& tether;
  const os::Fd& hooks;  // wire/hooks.hpp; none: nothing is run first
  const os::Fd& rules;  // wire/rules.hpp; none: nothing is ruled
};

/// What there was in a control socket.
enum class Packet {
  none,
  message,
  nonsense,  // of no size that an honest worker sends, or with descriptors
  gone       // the worker closed its end
};

class HostEnd {
 public:
  using Arena = shm::Arena<shm::arena_bytes>;

  /// Makes the memories, doorbells and control socket, and leaves the start message for the worker
  /// in that socket. Throws std::system_error.
  explicit HostEnd(const StartFiles& files);
  HostEnd(const HostEnd&) = delete;
  HostEnd& operator=(const HostEnd&) = delete;
  ~HostEnd() { rooms_->worker_is_gone(); }

  /// The worker's end of the control socket, for the launcher. Once.
  os::Fd take_worker_socket() { return std::move(worker_socket_); }
  int control() const { return control_.get(); }
  int leader_bell() const { return leader_bell_.get(); }
  int background_bell() const { return background_bell_.get(); }

  // Calls. `send` writes and publishes a slot; it does not ring.
  Arena& arena() { return arena_; }
  std::byte* arena_bytes(std::uint32_t offset) { return tasks().arena + offset; }
  std::uint64_t send(const wire::CallHeader& header, std::span<const std::byte> inline_bytes);
  std::uint64_t published() const { return slots_.published(); }
  /// Wakes the worker if it sleeps.
  void ring();
  /// Wakes it if it sleeps, whatever its word says.
  void ring_again();

  // Claims of the slot with this sequence number and element count.
  std::uint32_t take_back(std::uint64_t sequence, std::uint32_t count, std::uint32_t limit,
                          std::uint32_t keep);
  std::optional<std::uint32_t> started(std::uint64_t sequence, std::uint32_t count,
                                       std::uint32_t limit) const;
  /// Slots the worker says it has passed, told when it goes to sleep: a hint.
  std::uint64_t passed_hint() const { return shm::load_ordered(results().header.consumed); }

  /// Asks that element of that slot to stop; nobody.
  void request_stop(std::uint64_t sequence, std::uint32_t element);
  void withdraw_stop();

  // Results.
  shm::Look peek(Arrival& arrival);
  void pop() { ring_.pop(); }
  /// Tells the worker what has been read, waking it if it waits for room.
  void release();
  bool visible() const { return ring_.visible(); }

  // Its last words.
  bool crash_announced() const {
    return shm::load_hint(results().crash.state) == shm::CrashRecord::announced;
  }
  /// Copied once. nullopt: it left none, or none that an honest worker can have left.
  std::optional<shm::LastWords> last_words() const;
  std::string last_stderr() const { return results().stderr_tail.copy(); }

  // The stack of a running element (shm/stack_record.hpp), by its word. The caller signals.
  void ask_for_stack(std::uint64_t word);
  bool has_told_stack(std::uint64_t word) const {
    return shm::load_ordered(results().stack.of) == word;
  }
  /// Copied once. nullopt: no honest worker can have left it.
  std::optional<std::vector<std::byte>> told_stack() const;

  // Flat chunks.
  os::Io send_stage(const Stage& stage);
  std::uint64_t running() const { return shm::load_acquire(results().header.running); }

  // Slabs and rooms.
  os::Io send_slab(const Slab& slab);
  os::Io refuse_slab(int reason);
  os::Io send_drop(std::uint32_t slab);
  Rooms& rooms() const { return *rooms_; }
  // Shared state, and slabs dropped. The worker takes these in when it needs them, or before it sleeps.
  os::Io send_memory(const detail::SharedMemory& memory);
  os::Io send_forget(shared::Key key);
  /// How many of these it says it has taken in: a hint.
  std::uint32_t control_taken() const { return shm::load_ordered(results().header.control); }
  /// One control packet. Descriptors that come with it are not taken.
  Packet receive(wire::Control& message);

 private:
  struct Memories {
    os::Fd tasks, results;
  };
  HostEnd(Memories memories, os::SocketPair sockets);
  static Memories make_memories();
  void write_headers();
  void set_stop(std::uint64_t word);
  os::Io send_unasked(const wire::Control& message, std::span<const int> fds);

  shm::TaskMemory& tasks() const { return *reinterpret_cast<shm::TaskMemory*>(tasks_.data()); }
  shm::ResultMemory& results() const {
    return *reinterpret_cast<shm::ResultMemory*>(results_.data());
  }
  shm::Word64& claim_word(std::uint64_t sequence) const {
    return results().claims[sequence % shm::slot_count];
  }

  Memories memories_;  // closed once the start message has them
  os::Mapping tasks_;
  os::Mapping results_;
  os::Fd control_;
  os::Fd worker_socket_;
  os::Fd leader_bell_;
  os::Fd background_bell_;
  Arena arena_;
  shm::SlotWriter<shm::Slot, shm::Word64> slots_;
  shm::RingReader<shm::Word64> ring_;
  shm::WorkerRinger<shm::Word32> bell_;
  std::shared_ptr<Rooms> rooms_;
};

}  // namespace procpool::inline v0::channel
