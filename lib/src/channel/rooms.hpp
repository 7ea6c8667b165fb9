#pragma once

// What    The memories in which one worker writes its large results, as home sees them. A room is the
//         worker's, or lent to the outcome that came in it; when that is read, the worker's again. No two
//         workers share one.
// Writers Under a lock of its own, which is taken last: an outcome ends on any thread. `given_[place]`, in
//         the worker's tasks memory, says how often home has given the room at that place away; the
//         worker knows how often it has sent an outcome in it, and has it while home is one ahead.
// Order   Home reads the bytes, then counts up; the worker reads the count, then writes.
// Bounds  Eight places; of them at most `most_free` are the worker's. When all are lent the one lent for
//         longest becomes its outcome's own. What is the worker's and was not used for `slab_keep_time`
//         goes when it is idle, what was lent for longer does not come back.
// Death   Of the worker: `worker_is_gone`; what is lent lives as long as its outcome.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <procpool/detail/batch.hpp>

#include "base/deadline.hpp"
#include "channel/slab.hpp"
#include "shm/layout.hpp"

namespace procpool::inline v0::channel {

class Rooms : public std::enable_shared_from_this<Rooms> {
 public:
  static constexpr std::size_t most_free = 3;

  using Given = shm::Word32[shm::room_count];
  explicit Rooms(Given& given);

  /// Throws std::system_error. Takes long.
  static std::shared_ptr<Slab> make(std::uint64_t bytes);

  /// Whether it was given a room of that size in which nothing has come since.
  bool has_unused(std::uint64_t bytes) const;
  /// Gives the worker, which asked for one, this room: before its memory is sent. Returns one that it has
  /// no more for that, or null.
  std::shared_ptr<Slab> put(const std::shared_ptr<Slab>& room);
  /// The worker says that it could not take it in. Returns the room; null: it has none such.
  std::shared_ptr<Slab> lose(std::uint32_t number);
  /// An outcome of `size` bytes came in this room. nullopt: that cannot be.
  std::optional<detail::Part::Lent> lend(std::uint32_t number, std::uint64_t size);

  /// If the worker has nothing to do (`idle`; else it may write there): takes out what it has not used for
  /// long, to be freed without any lock (`free_slabs`). `next`: becomes earlier, if there can be more.
  void trim(Deadline now, bool idle, Deadline& next, std::vector<std::shared_ptr<Slab>>& old);
  void worker_is_gone() noexcept;

 private:
  struct Place {
    std::shared_ptr<Slab> memory;  // null: none
    bool lent = false;
    bool unused = false;  // nothing has come in it yet
    Deadline since = {};  // lent, or given back
    Deadline used = {};   // when it last came back from a use that was worth it (`is_worth`)
    bool worth = true;    // the last use was
  };
  class Lease;

  Place& place_for(std::uint64_t size);
  void give(Place& place);
  std::shared_ptr<Slab> take_away(Place& place);
  std::size_t free_rooms() const;
  shm::Word32& given(const Place& place);
  void end(const std::shared_ptr<Slab>& room) noexcept;

  const unsigned generation_;
  mutable std::mutex mutex_;
  Given* given_;  // null: the worker is gone
  std::array<Place, shm::room_count> places_;
};

}  // namespace procpool::inline v0::channel
