// What    Queue and JoinableQueue: a ring of framed elements under a monitor. A frame is a length and
//         so many bytes, from a multiple of 8 on.
// Order   Bytes are written where nobody reads, then one store makes them an element (Committed).
// Death   While putting: no element. While getting: the element is still there, or gone with whoever
//         took it. With elements of a JoinableQueue in hand: they count as done, and join() tells.

#include <procpool/detail/shared_queue.hpp>
#include <procpool/errors.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "shared/monitor.hpp"

namespace procpool::inline v0::detail {

using shared::Monitor;
using shared::Reason;

namespace {

enum Topic : std::uint32_t { an_element = 1, room, all_done };

struct QueueState {
  std::uint64_t head;  // bytes taken out, ever
  std::uint64_t tail;  // bytes put in, ever
  std::uint64_t puts;
  std::uint64_t gets;
  std::uint32_t closed;
};

struct QueueMemory {
  shared::MonitorMemory monitor;
  shared::Committed<QueueState> state;
  std::uint64_t most_elements;
  std::uint64_t capacity;  // bytes, a multiple of 8
  std::byte* ring() { return reinterpret_cast<std::byte*>(this + 1); }
};

using Length = std::uint64_t;
static_assert(sizeof(QueueMemory) % sizeof(Length) == 0);

constexpr std::uint64_t frame(std::uint64_t bytes) {
  return sizeof(Length) + (bytes + sizeof(Length) - 1) / sizeof(Length) * sizeof(Length);
}

void copy_in(QueueMemory& q, std::uint64_t at, const void* from, std::uint64_t size) {
  const std::uint64_t place = at % q.capacity;
  const std::uint64_t first = std::min(size, q.capacity - place);
  std::memcpy(q.ring() + place, from, first);
  std::memcpy(q.ring(), static_cast<const std::byte*>(from) + first, size - first);
}

void copy_out(QueueMemory& q, std::uint64_t at, void* to, std::uint64_t size) {
  const std::uint64_t place = at % q.capacity;
  const std::uint64_t first = std::min(size, q.capacity - place);
  std::memcpy(to, q.ring() + place, first);
  std::memcpy(static_cast<std::byte*>(to) + first, q.ring(), size - first);
}

bool fits(const QueueMemory& q, const QueueState& s, std::uint64_t bytes) {
  return s.puts - s.gets < q.most_elements && frame(bytes) <= q.capacity - (s.tail - s.head);
}

std::uint64_t not_done(QueueMemory& q, const Monitor& monitor) {
  const QueueState& s = q.state.get();
  return s.puts - s.gets + monitor.held();
}

}  // namespace

MemoryRef make_queue(std::int64_t maxsize, std::uint64_t capacity, StateType type) {
  constexpr std::uint64_t least = 64;
  if (capacity < least || capacity > std::numeric_limits<std::uint64_t>::max() / 4) {
    throw Misuse("a queue has at least 64 bytes of room (it is " + std::to_string(capacity) + ")");
  }
  capacity = (capacity + sizeof(Length) - 1) / sizeof(Length) * sizeof(Length);
  MemoryRef memory = make_shared_memory(sizeof(QueueMemory) + capacity, type);
  auto& q = shared::in<QueueMemory>(*memory);
  Monitor::init(q.monitor);
  q.most_elements = maxsize > 0 ? static_cast<std::uint64_t>(maxsize)
                                : std::numeric_limits<std::uint64_t>::max();
  q.capacity = capacity;
  return memory;
}

bool put_bytes(SharedMemory& queue, std::span<const std::byte> bytes, Time until) {
  auto& q = shared::in<QueueMemory>(queue);
  if (frame(bytes.size()) > q.capacity) {
    throw EncodingError("a value of " + std::to_string(bytes.size()) +
                        " bytes never fits into a queue of " + std::to_string(q.capacity) +
                        " bytes: make it with more, Queue<T>(maxsize, bytes)");
  }
  Monitor monitor(queue);
  for (bool in_time = true;;) {
    QueueState s = q.state.get();
    if (s.closed != 0) throw QueueClosed("put: the queue was closed");
    if (fits(q, s, bytes.size())) {
      const Length length = bytes.size();
      copy_in(q, s.tail, &length, sizeof length);
      copy_in(q, s.tail + sizeof length, bytes.data(), length);
      s.tail += frame(length);
      ++s.puts;
      monitor.about_to_change();
      q.state.set(s);
      monitor.wake_one(an_element);
      return true;
    }
    if (!in_time || until == Time()) return false;
    in_time = monitor.wait(room, until) != Reason::timeout;
  }
}

std::optional<std::vector<std::byte>> get_bytes(SharedMemory& queue, bool joinable, Time until) {
  auto& q = shared::in<QueueMemory>(queue);
  Monitor monitor(queue);
  for (bool in_time = true;;) {
    QueueState s = q.state.get();
    if (s.puts != s.gets) {
      Length length = 0;
      copy_out(q, s.head, &length, sizeof length);
      std::vector<std::byte> bytes(std::min(length, q.capacity));
      copy_out(q, s.head + sizeof length, bytes.data(), bytes.size());
      s.head += frame(bytes.size());
      ++s.gets;
      monitor.about_to_change();
      if (joinable) monitor.hold_one();
      q.state.set(s);
      monitor.wake_all(room);
      return bytes;
    }
    if (s.closed != 0) throw QueueClosed("get: the queue was closed and is empty");
    if (!in_time || until == Time()) return std::nullopt;
    in_time = monitor.wait(an_element, until) != Reason::timeout;
  }
}

void close_queue(SharedMemory& queue) {
  auto& q = shared::in<QueueMemory>(queue);
  Monitor monitor(queue);
  QueueState s = q.state.get();
  s.closed = 1;
  monitor.about_to_change();
  q.state.set(s);
  monitor.wake_all(an_element);
  monitor.wake_all(room);
}

std::uint64_t queue_size(SharedMemory& queue) {
  const Monitor monitor(queue);
  const QueueState& s = shared::in<QueueMemory>(queue).state.get();
  return s.puts - s.gets;
}

void task_done(SharedMemory& queue) {
  auto& q = shared::in<QueueMemory>(queue);
  Monitor monitor(queue);
  if (!monitor.release_one()) throw Misuse("task_done() called too many times");
  if (not_done(q, monitor) == 0) monitor.wake_all(all_done);
}

bool join_queue(SharedMemory& queue, Time until) {
  auto& q = shared::in<QueueMemory>(queue);
  Monitor monitor(queue);
  for (bool in_time = true;;) {
    monitor.bury();
    if (monitor.take_death()) {
      throw OwnerDied("a process died that was not done with what it had got from the queue");
    }
    if (not_done(q, monitor) == 0) return true;
    if (!in_time) return false;
    in_time = monitor.wait(all_done, until) != Reason::timeout;
  }
}

void throw_handle_in_message() {
  throw EncodingError("a handle of shared state cannot go through a Queue or Pipe: pass it as an "
                      "argument of the task");
}

}  // namespace procpool::inline v0::detail
