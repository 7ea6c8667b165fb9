#include "channel/rooms.hpp"

#include <algorithm>
#include <utility>

#include "os/fork.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::channel {

/// What an outcome holds.
class Rooms::Lease {
 public:
  Lease(std::shared_ptr<Rooms> rooms, std::shared_ptr<Slab> room)
      : rooms_(std::move(rooms)), room_(std::move(room)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { rooms_->end(room_); }

 private:
  std::shared_ptr<Rooms> rooms_;
  std::shared_ptr<Slab> room_;
};

Rooms::Rooms(Given& given) : generation_(os::fork_generation()), given_(&given) {}

std::shared_ptr<Slab> Rooms::make(std::uint64_t bytes) {
  auto room = std::make_shared<Slab>();
  room->memory = os::make_memory("procpool-room", slab_size(bytes));
  room->mapping = os::Mapping(room->memory, os::Access::read_write);  // to give its pages back
  os::seal_finally(room->memory);
  return room;
}

bool Rooms::has_unused(std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(places_, [bytes](const Place& place) {
    return place.memory && place.unused && place.memory->size() >= bytes;
  });
}

std::shared_ptr<Slab> Rooms::put(const std::shared_ptr<Slab>& room) {
  std::shared_ptr<Slab> replaced;
  const std::lock_guard lock(mutex_);
  Place& place = place_for(room->size());
  if (place.memory && !place.lent) replaced = take_away(place);
  room->number = room_number(static_cast<std::uint32_t>(&place - places_.data()));
  place = {.memory = room, .unused = true};
  give(place);
  return replaced;
}

/// The smallest of those that it has and that are too small; else one of no memory, or one that it has
/// got back meanwhile; else the one lent for longest, which becomes its outcome's own.
Rooms::Place& Rooms::place_for(std::uint64_t size) {
  const auto worth = [size](const Place& place) {
    if (!place.memory) return 1;
    if (place.lent) return 3;
    return place.memory->size() < size ? 0 : 2;
  };
  return *std::ranges::min_element(places_, [&](const Place& a, const Place& b) {
    if (worth(a) != worth(b)) return worth(a) < worth(b);
    if (!a.memory) return false;
    return a.lent ? a.since < b.since : a.memory->size() < b.memory->size();
  });
}

shm::Word32& Rooms::given(const Place& place) { return (*given_)[&place - places_.data()]; }

void Rooms::give(Place& place) {
  place.lent = false;
  place.since = Clock::now();
  if (place.worth) place.used = place.since;
  shm::store_release(given(place), shm::load_hint(given(place)) + 1);
}

/// A room that is the worker's. It must not be writing into it.
std::shared_ptr<Slab> Rooms::take_away(Place& place) {
  shm::store_release(given(place), shm::load_hint(given(place)) - 1);
  return std::exchange(place, {}).memory;
}

std::shared_ptr<Slab> Rooms::lose(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t at = room_place(number);
  if (!is_room(number) || at >= places_.size()) return nullptr;
  Place& place = places_[at];
  return place.memory && place.unused ? take_away(place) : nullptr;
}

std::optional<detail::Part::Lent> Rooms::lend(std::uint32_t number, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t at = room_place(number);
  if (!is_room(number) || at >= places_.size()) return std::nullopt;
  Place& place = places_[at];
  if (!place.memory || place.lent || size > place.memory->size()) return std::nullopt;
  auto lease = std::make_shared<const Lease>(shared_from_this(), place.memory);
  place.lent = true;
  place.unused = false;
  place.since = Clock::now();
  place.worth = is_worth(place.memory->size(), size);
  return detail::Part::Lent{{place.memory->mapping.data(), size}, std::move(lease)};
}

std::size_t Rooms::free_rooms() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      places_, [](const Place& place) { return place.memory && !place.lent; }));
}

/// An outcome has been read. In a forked copy of the process nobody may hold the lock.
void Rooms::end(const std::shared_ptr<Slab>& room) noexcept {
  if (generation_ != os::fork_generation()) return;
  {
    const std::lock_guard lock(mutex_);
    const auto place = std::ranges::find(places_, room, &Place::memory);
    if (place == places_.end()) return;  // its own, or the worker is gone
    const bool late = Clock::now() - place->since > slab_keep_time;
    if (!late && free_rooms() < most_free) return give(*place);
    *place = {};
  }
  room->mapping.give_back();  // the worker maps it still
}

void Rooms::trim(Deadline now, bool idle, Deadline& next, std::vector<std::shared_ptr<Slab>>& old) {
  const std::lock_guard lock(mutex_);
  for (Place& place : places_) {
    if (!place.memory) continue;
    const Deadline due = (place.lent ? place.since : place.used) + slab_keep_time;
    if (due > now) {
      next = std::min(next, due);  // what is lent may come back until then
    } else if (!place.lent && idle) {
      old.push_back(take_away(place));
    } else if (!place.lent) {
      next = std::min(next, now + slab_keep_time);
    }
  }
}

void Rooms::worker_is_gone() noexcept {
  std::array<Place, shm::room_count> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(places_);
  given_ = nullptr;
}

}  // namespace procpool::inline v0::channel
