#pragma once

// What    The slabs and rooms that a worker has mapped (slab.hpp, rooms.hpp).
// Writers The worker's one task-running thread. `given`, in memory that only home writes, says which
//         rooms are this worker's now.
// Order   See rooms.hpp.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "channel/slab.hpp"
#include "os/fd.hpp"
#include "shm/layout.hpp"

namespace procpool::inline v0::channel {

class WorkerSlabs {
 public:
  /// A room that is this worker's, until an outcome in it is sent.
  struct Room {
    std::uint32_t number;
    std::span<std::byte> bytes;
  };

  using Given = const shm::Word32[shm::room_count];
  explicit WorkerSlabs(Given& given) : given_(&given) {}

  /// For calls. `memory` may be none: there was no descriptor for it.
  void take_in(std::uint32_t number, os::Fd memory);
  /// No call will come in it: it goes once the current one is over.
  void drop(std::uint32_t number);
  /// The current call is over.
  void pass() {
    if (dropped_) forget_dropped();
    if (replaced_.mapping) replaced_ = {};
  }
  /// Null: it has not come.
  Slab* find(std::uint32_t number);

  /// The one of at least `bytes` that fits best (`fits_better`).
  std::optional<Room> free_room(std::uint64_t bytes, bool growing) const;
  /// A room that was asked for has come: whatever was at its place goes.
  Room put(Slab room);
  /// It came and could not be taken in. What was at its place can be read until the current call is over,
  /// or the next room comes: a result that outgrew it begins there.
  void lose(std::uint32_t number) { replaced_ = std::exchange(rooms_[room_place(number)], {}); }
  /// An outcome in this room goes to home.
  void sent(std::uint32_t number) { ++sent_[room_place(number)]; }

 private:
  struct Call {
    Slab slab;
    bool dropped = false;
  };
  bool is_ours(std::uint32_t place) const;
  void forget_dropped();

  Given* given_;
  std::vector<Call> calls_;
  bool dropped_ = false;
  std::array<Slab, shm::room_count> rooms_;
  Slab replaced_;
  std::array<std::uint32_t, shm::room_count> sent_{};
};

}  // namespace procpool::inline v0::channel
