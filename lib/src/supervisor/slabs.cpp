// The memory of large calls and results (channel/slab_store.hpp, channel/rooms.hpp): who knows which
// slab, who gets a room, and what goes back to the machine.

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "os/fork.hpp"
#include "supervisor/call_bytes.hpp"
#include "supervisor/guarded.hpp"

namespace procpool::inline v0::supervisor {

using channel::Slab;
using detail::Assignment;

namespace {

/// Slabs of calls that one worker has mapped, if no more are in its hand. Too few: descriptors and
/// mappings for calls that go here and there; too many: page tables.
constexpr std::size_t most_shown = 16;
/// Rooms that a worker may lose before an outcome comes. Too few: an honest one is ended that has no
/// descriptors (for one outcome it asks again and again for less); too many: large memories made in vain.
constexpr unsigned most_rooms_lost = 4;

}  // namespace

/// Without the pool's lock. Empty: the caller's bytes are copied later, or it is told why not.
detail::CallRoom Supervisor::room_for_call(std::size_t bytes, bool growing) noexcept try {
  if (generation_ != os::fork_generation() || slabs_->reuse_stopped()) return {};
  auto slab = slabs_->take(bytes, growing);
  watch_slabs();
  const std::span<std::byte> room(slab->mapping.data(), slab->mapping.size());
  return {room, std::move(slab)};
} catch (const std::exception&) {
  return {};
}

/// Without the pool's lock, after one was taken: it may come back on any thread, and never be submitted.
void Supervisor::watch_slabs() {
  if (!slabs_->begin_watch()) return;
  Lock lock = driver_.hold();
  keep_memory();
  let_go(lock);
}

/// A chore: making and filling a large memory takes long.
void Supervisor::prepare(Assignment& work, Lock& lock) {
  lock.unlock();
  std::exception_ptr error;
  try {
    attach_slab(work, copy_to_slab(*slabs_, work));
    watch_slabs();
  } catch (...) {
    error = std::make_exception_ptr(
        EncodingError("no shared memory for a call of " + std::to_string(call_bytes(work)) +
                      " bytes"));
  }
  lock.lock();
  if (!error) return resend(work);
  ledger_.fail(work, work.count, [&error] { return error; });
}

/// The worker's next call lies there. False: its socket is full now.
bool Supervisor::show_slab(Worker& worker, const Slab& slab) {
  keep_memory();
  const std::uint64_t call = worker.end.published() + 1;  // a binding may come before it
  const auto known = std::ranges::find(worker.shown, slab.number, &Worker::Shown::number);
  if (known != worker.shown.end()) {
    known->last = call;
    return true;
  }
  drop_unused(worker);
  // One that closed its socket gets the call all the same, and ends at the look for its slab.
  if (worker.end.send_slab(slab) == os::Io::would_block) return false;
  worker.shown.push_back({slab.number, slab.life, call});
  ++worker.may_lose;
  return true;
}

/// Before it gets one more: those that are no more, and the oldest beyond what it may have mapped, if no
/// call in its hand lies in them.
void Supervisor::drop_unused(Worker& worker) {
  const std::size_t most = settings_.reuses_slabs ? most_shown : 1;
  std::size_t left = worker.shown.size();
  std::erase_if(worker.shown, [&](const Worker::Shown& shown) {
    if (left < most && !shown.life.expired()) return false;
    if (worker.hand.awaits_before(shown.last + 1)) return false;
    if (worker.end.send_drop(shown.number) == os::Io::would_block) return false;
    --left;
    return true;
  });
}

/// It had no descriptor or memory for it. False: it was given none such, or loses all it is given. Of a
/// call's slab it can learn late, when that is no more.
bool Supervisor::lost_slab(Worker& worker, std::uint64_t number) {
  const auto lost = static_cast<std::uint32_t>(number);
  if (channel::is_room(lost)) {
    auto room = worker.end.rooms().lose(lost);
    if (!room) return false;
    free_later({std::move(room)});
    return ++worker.rooms_lost <= most_rooms_lost;
  }
  if (worker.may_lose == 0) return false;
  --worker.may_lose;
  std::erase_if(worker.shown, [lost](const Worker::Shown& shown) { return shown.number == lost; });
  return true;
}

/// A chore: making a large memory takes long.
void Supervisor::give_room(Ticket ticket, std::uint64_t bytes, Lock& lock) {
  lock.unlock();
  std::shared_ptr<Slab> room;
  int refused = 0;
  try {
    room = channel::Rooms::make(bytes);
  } catch (const std::system_error& error) {
    refused = error.code().value();
  } catch (const std::exception&) {
    refused = ENOMEM;
  }
  lock.lock();
  std::shared_ptr<Slab> replaced;
  if (Worker* const worker = find(ticket)) {
    worker->room_wanted = false;
    keep_memory();
    guarded([&] { replaced = send_room(*worker, room, refused); });
  }
  if (room) room->memory.reset();
  lock.unlock();  // what nobody has is unmapped
  replaced.reset();
  room.reset();
  lock.lock();
}

/// The worker waits for this one packet and its socket has room for many. Returns what `put` does.
std::shared_ptr<Slab> Supervisor::send_room(Worker& worker, const std::shared_ptr<Slab>& room,
                                            int refused) {
  std::shared_ptr<Slab> replaced;
  os::Io sent = os::Io::ok;
  if (room) {
    replaced = worker.end.rooms().put(room);
    try {
      sent = worker.end.send_slab(*room);
    } catch (const std::system_error& error) {  // the kernel has no memory for the packet
      refused = error.code().value();
      worker.end.rooms().lose(room->number);
    }
  }
  if (refused != 0) sent = worker.end.refuse_slab(refused);
  if (sent == os::Io::would_block) violated(worker, "it does not read its control socket");
  return replaced;
}

/// Slabs or rooms are in use, or were a moment ago.
void Supervisor::keep_memory() {
  if (memory_due_ != never) return;
  memory_due_ = deadline_after(channel::slab_keep_time);
  driver_.at(memory_due_);
}

/// What has not been used for a while. Freeing it takes long: a chore.
void Supervisor::give_memory_back() {
  const Deadline now = Clock::now();
  if (now < memory_due_) return driver_.at(memory_due_);
  memory_due_ = never;
  std::vector<std::shared_ptr<Slab>> old;
  slabs_->trim(now, memory_due_, old);
  for (const auto& worker : workers_) {
    worker->end.rooms().trim(now, worker->hand.empty(), memory_due_, old);
  }
  driver_.at(memory_due_);
  drop_gone();
  if (!old.empty()) free_later(std::move(old));
}

/// And the pages of rooms at once.
void Supervisor::free_later(std::vector<std::shared_ptr<Slab>> old) {
  add_chore([this, old = std::move(old)](Lock& lock) mutable {
    lock.unlock();
    channel::free_slabs(std::move(old));
    lock.lock();
    drop_gone();
  });
}

/// Workers are told of slabs that are no more, whose pages stay for as long as somebody maps them.
void Supervisor::drop_gone() {
  for (const auto& worker : workers_) {
    const std::size_t dropped = std::erase_if(worker->shown, [&](const Worker::Shown& shown) {
      if (!shown.life.expired()) return false;
      if (worker->end.send_drop(shown.number) != os::Io::would_block) return true;
      keep_memory();  // its socket is full now
      return false;
    });
    if (dropped != 0) worker->end.ring();
  }
}

}  // namespace procpool::inline v0::supervisor
