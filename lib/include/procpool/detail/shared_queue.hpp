#pragma once

// Queue and JoinableQueue.

#include <procpool/detail/shared_sync.hpp>
#include <procpool/detail/shared_message.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace procpool::inline v0 {
namespace detail {

MemoryRef make_queue(std::int64_t maxsize, std::uint64_t capacity, StateType type);
/// False: the deadline came first. Throws QueueClosed; EncodingError when it can never fit.
bool put_bytes(SharedMemory& queue, std::span<const std::byte> bytes, Time until);
/// Nothing: the deadline came first. Throws QueueClosed. `joinable`: noted as in this thread's hands.
std::optional<std::vector<std::byte>> get_bytes(SharedMemory& queue, bool joinable, Time until);
void close_queue(SharedMemory& queue);
std::uint64_t queue_size(SharedMemory& queue);
void task_done(SharedMemory& queue);
bool join_queue(SharedMemory& queue, Time until);

inline constexpr std::size_t default_queue_bytes = std::size_t{1} << 20;

}  // namespace detail

/// What Queue and JoinableQueue can do; Q is the one or the other. Every member from any thread of any
/// process. At most 500 threads wait at once, or hold elements of a JoinableQueue, else Misuse.
template <class Q, class T, bool joinable>
class QueueHandle : public detail::SharedHandle<Q> {
  static_assert(detail::archive_can_carry<T>,
                "this cannot be sent to another process: make it a struct of shippable members, or "
                "give it `template <class A> void serialize(A& ar) { ar(member, ...); }`");

 public:
  using value_type = T;  ///< what it is a queue of

  /// Puts a value at the end, waiting for room. Throws QueueClosed; EncodingError for a value that holds
  /// handles of shared state or is larger than the whole queue; and what the value's own serialisation
  /// throws.
  void put(const T& value) { put_by(value, detail::forever); }
  /// As put. False: the time was over before there was room.
  template <class Rep, class Period>
  bool put_for(const T& value, std::chrono::duration<Rep, Period> d) {
    return put_by(value, detail::time_after(d));
  }
  /// As put. False: there is no room now.
  bool try_put(const T& value) { return put_by(value, detail::Time()); }

  /// Takes the first element, waiting for one. Throws QueueClosed once it is closed and empty.
  T get() { return *get_by(detail::forever); }
  /// As get. Nothing: the time was over first.
  template <class Rep, class Period>
  std::optional<T> get_for(std::chrono::duration<Rep, Period> d) {
    return get_by(detail::time_after(d));
  }
  /// As get. Nothing: it is empty now.
  std::optional<T> try_get() { return get_by(detail::Time()); }

  /// Nothing can be put any more; what is there can be got.
  void close() { detail::close_queue(this->state()); }
  ///@{

  /// Elements that are there. Others may put and get at the same time.
  std::size_t size() const { return static_cast<std::size_t>(detail::queue_size(this->state())); }
  bool empty() const { return size() == 0; }
  ///@}

 protected:
  /// \private
  QueueHandle(std::int64_t maxsize, std::size_t bytes)
      : detail::SharedHandle<Q>(
            [&](auto type) { return detail::make_queue(maxsize, bytes, type); }) {}

 private:
  bool put_by(const T& value, detail::Time until) {
    return detail::with_message(value, [&](std::span<const std::byte> bytes) {
      return detail::put_bytes(this->state(), bytes, until);
    });
  }
  std::optional<T> get_by(detail::Time until) {
    const auto bytes = detail::get_bytes(this->state(), joinable, until);
    if (!bytes) return std::nullopt;
    return detail::from_message<T>(*bytes);
  }
};

/// A queue of values between processes: first in, first out, any number of processes at either end.
/// Values are encoded as arguments are. It lies in one memory of fixed size: put waits when `maxsize`
/// elements are in it or their bytes fill `bytes`. Nobody sees an element half written: who dies while
/// putting has put nothing, and who dies while getting has taken one whole element or none.
///
/// multiprocessing.Queue (Python 3.14), but there is no thread and no buffer in between: what put has
/// returned from is there for the others, and no process waits for its buffer at its end.
template <class T>
class Queue : public QueueHandle<Queue<T>, T, false> {
 public:
  /// A new queue. `maxsize`: elements; 0 or less: as many as fit into `bytes` (1 MiB by default), each
  /// with 8 bytes of its own. Too low: who puts waits; too high: memory. Throws Misuse for less than 64
  /// bytes, std::system_error when the machine has no memory or descriptors left.
  template <std::integral I = int>
  explicit Queue(I maxsize = 0, std::size_t bytes = detail::default_queue_bytes)
      : QueueHandle<Queue<T>, T, false>(detail::as_count(maxsize), bytes) {}
};

/// A queue whose elements are to be worked off: who has got one says task_done() when it is done with
/// it, and join() waits until nothing is left and all is done. The elements that a process had got and
/// was not done with when it died count as done; join() tells of it by OwnerDied, once for each such
/// process. multiprocessing.JoinableQueue (Python 3.14).
template <class T>
class JoinableQueue : public QueueHandle<JoinableQueue<T>, T, true> {
 public:
  /// As Queue's.
  template <std::integral I = int>
  explicit JoinableQueue(I maxsize = 0, std::size_t bytes = detail::default_queue_bytes)
      : QueueHandle<JoinableQueue<T>, T, true>(detail::as_count(maxsize), bytes) {}

  /// Says that this process is done with an element that it has got. Throws Misuse when it is called
  /// more often than get.
  void task_done() { detail::task_done(this->state()); }
  /// Waits until the queue is empty and everybody is done. Throws OwnerDied.
  void join() { detail::join_queue(this->state(), detail::forever); }
  /// The same for at most `d`. False: the time was over first. Throws OwnerDied.
  template <class Rep, class Period>
  bool join_for(std::chrono::duration<Rep, Period> d) {
    return detail::join_queue(this->state(), detail::time_after(d));
  }
};

}  // namespace procpool::inline v0
