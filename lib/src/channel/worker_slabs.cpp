#include "channel/worker_slabs.hpp"

#include <utility>

#include "shm/atomics.hpp"

namespace procpool::inline v0::channel {

/// One that was dropped comes again before that was done, or one that had no descriptor: the memory is
/// the same.
void WorkerSlabs::take_in(std::uint32_t number, os::Fd memory) {
  for (Call& call : calls_) {
    if (call.slab.number != number) continue;
    call.dropped = false;
    if (!call.slab.mapping && memory) call.slab.memory = std::move(memory);
    return;
  }
  Call& fresh = calls_.emplace_back();
  fresh.slab.number = number;
  fresh.slab.memory = std::move(memory);
}

void WorkerSlabs::drop(std::uint32_t number) {
  for (Call& call : calls_) {
    if (call.slab.number == number) call.dropped = dropped_ = true;
  }
}

void WorkerSlabs::forget_dropped() {
  std::erase_if(calls_, [](const Call& call) { return call.dropped; });
  dropped_ = false;
}

Slab* WorkerSlabs::find(std::uint32_t number) {
  for (Call& call : calls_) {
    if (call.slab.number == number) return &call.slab;
  }
  return nullptr;
}

bool WorkerSlabs::is_ours(std::uint32_t place) const {
  return rooms_[place].mapping && shm::load_acquire((*given_)[place]) == sent_[place] + 1;
}

std::optional<WorkerSlabs::Room> WorkerSlabs::free_room(std::uint64_t bytes, bool growing) const {
  const Slab* best = nullptr;
  for (std::uint32_t place = 0; place != shm::room_count; ++place) {
    const Slab& room = rooms_[place];
    if (room.size() < bytes || !is_ours(place)) continue;
    if (best == nullptr || fits_better(room.size(), best->size(), bytes, growing)) best = &room;
  }
  if (best == nullptr) return std::nullopt;
  return Room{best->number, {best->mapping.data(), best->mapping.size()}};
}

WorkerSlabs::Room WorkerSlabs::put(Slab room) {
  const std::uint32_t place = room_place(room.number);
  rooms_[place] = std::move(room);
  replaced_ = {};
  sent_[place] = shm::load_acquire((*given_)[place]) - 1;
  return {rooms_[place].number, {rooms_[place].mapping.data(), rooms_[place].mapping.size()}};
}

}  // namespace procpool::inline v0::channel
