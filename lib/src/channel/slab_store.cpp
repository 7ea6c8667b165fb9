#include "channel/slab_store.hpp"

#include <algorithm>
#include <bit>
#include <system_error>
#include <utility>

#include "os/fork.hpp"
#include "shm/layout.hpp"

namespace procpool::inline v0::channel {

namespace {

/// Beyond one for each worker. Too few: fresh pages while calls wait in hands; too many: descriptors.
constexpr std::size_t spare_slabs = 8;
/// What may be free in any case. Too low: fresh pages for many small slabs; too high: memory.
constexpr std::uint64_t least_bytes = std::uint64_t{32} << 20;

constexpr std::size_t most_free(std::size_t workers) { return workers + spare_slabs; }

}  // namespace

std::uint64_t slab_size(std::uint64_t bytes) {
  constexpr std::uint64_t least_step = 4 * shm::page;
  if (bytes > std::uint64_t{1} << 60) return bytes / shm::page * shm::page;
  const std::uint64_t step = std::max(std::bit_floor(bytes) / 8, least_step);
  return (std::max<std::uint64_t>(bytes, 1) + step - 1) / step * step;
}

/// Whoever has mapped them keeps a room's pages else.
void free_slabs(std::vector<std::shared_ptr<Slab>> slabs) noexcept {
  for (const auto& slab : slabs) {
    if (is_room(slab->number)) slab->mapping.give_back();
  }
}

SlabStore::SlabStore(int workers, bool reuses)
    : generation_(os::fork_generation()), reuses_(reuses), workers_(static_cast<std::size_t>(workers)) {
  free_.reserve(most_free(workers_));
}

void SlabStore::serve(int workers) {
  const std::lock_guard lock(mutex_);
  workers_ = static_cast<std::size_t>(workers);
  free_.reserve(most_free(workers_));
}

std::shared_ptr<Slab> SlabStore::take(std::uint64_t bytes, bool growing) {
  Free found = find(bytes, growing);
  if (!found.slab) found.slab = make(bytes);
  // How much a growing call will use is not known: as much as it is taken for.
  const std::uint64_t size = found.slab->size();
  if (is_worth(growing ? size / growth_factor : size, bytes)) found.since = never;
  {
    const std::lock_guard lock(mutex_);
    ++lent_;
  }
  return {found.slab.release(),
          [store = shared_from_this(), since = found.since](Slab* used) {
            store->give_back({std::unique_ptr<Slab>(used), since});
          }};
}

/// Of those that fit equally well the one used last.
SlabStore::Free SlabStore::find(std::uint64_t bytes, bool growing) {
  const std::lock_guard lock(mutex_);
  if (closed_) return {};
  auto best = free_.end();
  for (auto each = free_.begin(); each != free_.end(); ++each) {
    const std::uint64_t size = each->slab->size();
    if (size < bytes) continue;
    if (best == free_.end() || !fits_better(best->slab->size(), size, bytes, growing)) best = each;
  }
  if (best == free_.end()) return {};
  Free found = std::move(*best);
  free_.erase(best);
  return found;
}

/// What is free counts as used where the machine is asked how much it has: it goes first.
std::unique_ptr<Slab> SlabStore::make(std::uint64_t bytes) {
  auto slab = std::make_unique<Slab>();
  try {
    slab->memory = os::guard(os::make_memory("procpool-call", slab_size(bytes)));
  } catch (const std::system_error&) {
    while (evict()) {
    }
    slab->memory = os::guard(os::make_memory("procpool-call", slab_size(bytes)));
  }
  slab->mapping = os::Mapping(slab->memory, os::Access::read_write);
  slab->life = std::make_shared<const char>();
  os::seal_against_writers(slab->memory);
  os::seal_finally(slab->memory);
  const std::lock_guard lock(mutex_);
  slab->number = ++made_ * 2;
  return slab;
}

/// In a forked copy of the process nobody may hold the lock, and the slab is parked (os/memory.cpp).
void SlabStore::give_back(Free used) noexcept {
  if (generation_ != os::fork_generation()) return;
  {
    const std::lock_guard lock(mutex_);
    --lent_;
  }
  if (!reuses_) return;
  while (!keep(used)) evict();
}

/// The one that was used longest ago; null: none is free.
std::unique_ptr<Slab> SlabStore::evict() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return nullptr;
  auto slab = std::move(free_.front().slab);
  free_.erase(free_.begin());
  return slab;
}

/// False: something else has to go first. With none that is free any slab is within the bounds.
bool SlabStore::keep(Free& used) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return true;
  const std::uint64_t size = used.slab->size();
  std::uint64_t largest = size;
  for (const Free& each : free_) largest = std::max(largest, each.slab->size());
  const std::uint64_t most_bytes = std::max(least_bytes, (workers_ + 1) * largest);
  if (free_.size() >= most_free(workers_) || bytes() + size > most_bytes) return false;
  used.since = std::min(used.since, Clock::now());
  free_.insert(std::ranges::upper_bound(free_, used.since, {}, &Free::since), std::move(used));
  return true;
}

std::uint64_t SlabStore::bytes() const {
  std::uint64_t sum = 0;
  for (const Free& each : free_) sum += each.slab->size();
  return sum;
}

void SlabStore::trim(Deadline now, Deadline& next, std::vector<std::shared_ptr<Slab>>& old) {
  const std::lock_guard lock(mutex_);
  old.reserve(old.size() + free_.size());
  while (!free_.empty() && free_.front().since + slab_keep_time <= now) {
    old.push_back(std::move(free_.front().slab));  // may throw: then it stays
    free_.erase(free_.begin());
  }
  if (!free_.empty()) next = std::min(next, free_.front().since + slab_keep_time);
  if (lent_ != 0) next = std::min(next, now + slab_keep_time);  // nobody says when it comes back
  watched_ = lent_ != 0 || !free_.empty();
}

bool SlabStore::begin_watch() {
  const std::lock_guard lock(mutex_);
  return (lent_ != 0 || !free_.empty()) && !std::exchange(watched_, true);
}

void SlabStore::stop_reuse() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool SlabStore::reuse_stopped() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void SlabStore::close() noexcept {
  stop_reuse();
  while (evict()) {
  }
}

std::size_t SlabStore::free_count() const {
  const std::lock_guard lock(mutex_);
  return free_.size();
}

std::uint64_t SlabStore::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes();
}

}  // namespace procpool::inline v0::channel
