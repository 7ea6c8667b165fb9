#pragma once

// Every task the pool has taken: where it waits, and its end. The only place where a task is settled,
// exactly once. Under the core's lock.
//
// A node can be done before the work on it is over: one that was cancelled while it runs. What then
// still comes of it is dropped, and it counts as outstanding until nothing can come any more.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>

#include "ledger/waiting.hpp"

namespace procpool::inline v0::ledger {

/// What settling sets off.
class Wakes {
 public:
  virtual void wake(detail::Waiter& waiter) = 0;
  void wake_all(const detail::Waiters& waiters) {
    for (auto* w = waiters.first; w != nullptr; w = w->next) wake(*w);
  }
  virtual void call_back(std::vector<std::function<void()>> callbacks) = 0;

 protected:
  ~Wakes() = default;
};

class Ledger {
 public:
  explicit Ledger(Wakes& wakes) : wakes_(&wakes) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Takes a call, or a batch, with a reference of its own. `charge`: bytes that are pending until it
  /// is done.
  void enter(detail::Node& node, std::size_t charge);
  /// `all`: what `whole` made of it, before the lock was taken.
  static std::unique_ptr<detail::Chunk> whole(detail::Batch& batch);
  void enter_batch(detail::Batch& batch, std::unique_ptr<detail::Chunk> all, std::size_t charge);
  /// A call that cannot run yet.
  void enter_held(detail::Node& node);
  /// It can now.
  void release_held(detail::Node& node);

  /// Tasks on which work is not over.
  std::size_t outstanding() const { return outstanding_; }
  std::uint64_t entered() const { return entered_; }
  std::uint64_t ended() const { return ended_; }
  std::size_t pending_bytes() const { return pending_bytes_; }
  detail::Waiters room_waiters;  // for pending_bytes to fall

  // Waiting to be dispatched.
  detail::Assignment* front() const { return waiting_.front(); }
  std::size_t waiting() const { return waiting_.size(); }
  /// The first assignment of this node that waits; null: none does.
  detail::Assignment* waiting_of(const detail::Node& node);
  void take(detail::Assignment& work) { waiting_.remove(work); }
  void put_back(detail::Assignment& work) { waiting_.insert(work); }
  /// The first `count` elements of a chunk that waits, as a chunk of its own that does not wait.
  detail::Chunk& cut(detail::Chunk& waiting, std::uint32_t count);

  // Outcomes of one element (of a call: its only one), in order.
  void settle(detail::Assignment& work, detail::Outcome outcome, std::span<const std::byte> bytes);
  void settle_lent(detail::Assignment& work, detail::Outcome outcome, detail::Part::Lent bytes);
  void settle_error(detail::Assignment& work, std::exception_ptr error);
  /// Values of a flat chunk, one after another.
  void settle_run(detail::Assignment& work, std::uint32_t count,
                  std::span<const std::byte> values);
  /// Outcomes of a chunk's next elements, some of which may be values that are in the sink already.
  void settle_part(detail::Assignment& work, detail::Part&& outcomes, bool failed);
  /// After the last element of it that will be settled under this assignment. Ends the assignment:
  /// a call is done; a chunk's part goes to its batch.
  void finish(detail::Assignment& work);
  /// The same, when `elements` of it will never be settled.
  void abandon(detail::Assignment& work, std::uint32_t elements);
  /// What is left of a chunk from `element` of the chunk on, as a chunk of its own (also: the same
  /// call once more).
  detail::Assignment& remainder(detail::Assignment& work, std::uint32_t element,
                                std::uint32_t count);
  /// The element that would be settled next, as an assignment of its own that is not settled here;
  /// the chunk goes on with the one after it. A call is returned as it is.
  detail::Assignment& lift(detail::Assignment& work);

  /// Everybody is told now that the next `elements` have failed, though work on them goes on: what
  /// comes of it is dropped. The last that is settled under this assignment; `finish` is still to come.
  template <class MakeError>
  void answer(detail::Assignment& work, std::uint32_t elements, MakeError error) {
    for (std::uint32_t i = 0; i != elements; ++i) settle_error(work, error());
    answered(work);
  }

  /// Ends the work on a cancelled call that nobody has; false: somebody has, or had.
  bool withdraw(detail::Node& node);
  /// The node is done with Cancelled now, whatever is still under way.
  void cancel(detail::Node& node);
  /// Nobody wants the batch: what waits of it ends as never started.
  void discard(detail::Batch& batch);
  /// The same for one assignment; a call is cancelled.
  void drop(detail::Assignment& work);
  /// Batches in which an element has failed, and which are to be discarded for it.
  std::vector<detail::LibraryRef<detail::Batch>> take_failed() { return std::exchange(failed_, {}); }
  bool has_failed() const { return !failed_.empty(); }
  /// Cancels every node of which nothing was given to a worker; what waits of others is dropped.
  void cancel_waiting();
  /// Settles everything that waits, or is held, with errors made by `error`.
  template <class MakeError>
  void fail_waiting(MakeError error) {
    while (detail::Assignment* const work = waiting_.front()) {
      waiting_.remove(*work);
      fail(*work, work->count, error);
    }
    while (detail::Assignment* const work = held_.front()) {
      held_.remove(*work);
      fail(*work, 1, error);
    }
  }
  template <class MakeError>
  void fail(detail::Assignment& work, std::uint32_t elements, MakeError error) {
    for (std::uint32_t i = 0; i != elements; ++i) settle_error(work, error());
    finish(work);
  }

  /// What is to be run and let go once the lock is not held.
  struct Garbage {
    std::vector<std::function<void()>> continuations;
    std::vector<detail::LibraryRef<detail::Node>> nodes;
    std::vector<std::shared_ptr<const void>> slabs;
    std::vector<std::vector<std::byte>> bytes;
    std::vector<detail::Payload> payloads;
    std::vector<detail::Part> parts;
  };
  Garbage take_garbage() { return std::exchange(garbage_, {}); }

  static detail::Node& node_of(const detail::Assignment& work);

 private:
  void enter(detail::Node& node);
  void charge(detail::Node& node, std::size_t bytes);
  detail::Chunk& new_chunk(const detail::Assignment& like, std::uint32_t first,
                           std::uint32_t count);
  void hand_in(detail::Chunk& chunk);
  void answered(detail::Assignment& work);
  void put_aside(detail::Payload& payload);
  void end(detail::Node& node);
  void release(detail::Node& node);
  void ended_elements(detail::Batch& batch, std::uint32_t count, bool failed);

  Wakes* wakes_;
  Waiting waiting_;
  AssignmentList held_;
  std::size_t outstanding_ = 0;
  std::uint64_t entered_ = 0;
  std::uint64_t ended_ = 0;
  std::size_t pending_bytes_ = 0;
  std::vector<detail::LibraryRef<detail::Batch>> failed_;
  Garbage garbage_;
};

}  // namespace procpool::inline v0::ledger
