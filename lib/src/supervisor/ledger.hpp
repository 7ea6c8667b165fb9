#pragma once

// Every task the pool has taken: where it waits, and its end. The only place where a task is settled,
// exactly once. Under the supervisor's lock.

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/node.hpp>

namespace procpool::inline v0::supervisor {

/// What settling sets off.
class Wakes {
 public:
  virtual void wake(detail::Waiter& waiter) = 0;
  virtual void call_back(std::vector<std::function<void()>> callbacks) = 0;

 protected:
  ~Wakes() = default;
};

class Ledger {
 public:
  explicit Ledger(Wakes& wakes) : wakes_(&wakes) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Takes a call, or a batch cut into chunks, with a reference of its own.
  void enter(detail::Node& node);
  void enter_batch(detail::Batch& batch, std::vector<std::unique_ptr<detail::Chunk>> chunks);
  /// Tasks that are not settled.
  std::size_t outstanding() const { return outstanding_; }

  // Waiting to be dispatched.
  detail::Assignment* front() const { return first_; }
  detail::Assignment* pop_front();
  void push_front(detail::Assignment& work);

  // Outcomes of one element (of a call: its only one), in order.
  void settle(detail::Assignment& work, detail::Outcome outcome, std::span<const std::byte> bytes);
  void settle_lent(detail::Assignment& work, detail::Outcome outcome, detail::Part::Lent bytes);
  void settle_error(detail::Assignment& work, std::exception_ptr error);
  /// After the last element of it that will be settled under this assignment. Ends the assignment:
  /// a call is done; a chunk's part goes to its batch.
  void finish(detail::Assignment& work);
  /// What is left of a chunk from `element` of the chunk on, as a chunk of its own (also: the same
  /// call once more).
  detail::Assignment& remainder(detail::Assignment& work, std::uint32_t element,
                                std::uint32_t count);

  /// Nobody wants the batch: what waits of it is settled as it is.
  void discard(detail::Batch& batch);
  /// Settles everything that waits with errors made by `error`.
  template <class MakeError>
  void fail_waiting(MakeError error) {
    while (detail::Assignment* work = pop_front()) fail(*work, work->count, error);
  }
  template <class MakeError>
  void fail(detail::Assignment& work, std::uint32_t elements, MakeError error) {
    for (std::uint32_t i = 0; i != elements; ++i) settle_error(work, error());
    finish(work);
  }

  /// What is to be let go once the lock is not held: freeing can take long.
  struct Garbage {
    std::vector<detail::Ref<detail::Node>> nodes;
    std::vector<std::shared_ptr<const void>> slabs;
  };
  Garbage take_garbage() { return std::exchange(garbage_, {}); }

 private:
  void push_back(detail::Assignment& work);
  void done(detail::Node& node);
  static detail::Node& node_of(detail::Assignment& work);

  Wakes* wakes_;
  detail::Assignment* first_ = nullptr;
  detail::Assignment* last_ = nullptr;
  std::size_t outstanding_ = 0;
  Garbage garbage_;
};

}  // namespace procpool::inline v0::supervisor
