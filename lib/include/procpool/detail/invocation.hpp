#pragma once

// What a task sees of the place that runs it: bytes in, bytes out, one element after the other.

#include <procpool/detail/archive.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace procpool::inline v0::detail {

/// Elements [first, last) of a flat chunk, which this process has claimed. Arguments and results lie
/// as plain values, one after another, from element 0 on.
struct Block {
  const std::byte* arguments = nullptr;
  std::byte* results = nullptr;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::atomic<std::uint64_t>* running = nullptr;  // `base` + the element that is run
  std::uint64_t base = 0;

  /// The element's result is there; the next one is run. Pairs with the supervisor's acquiring read
  /// after this process's death (shm/element.hpp).
  void ended(std::uint64_t element) const {
    running->store(base + element + 1, std::memory_order_release);
  }
};

/// A call, or a chunk of a map, while it runs. Its first element is claimed before the thunk is
/// entered. Per element the thunk decodes the arguments, runs, encodes the result, destroys both,
/// and commits; then it asks for the next. An exception leaves the thunk; who called it records
/// what happened to that element and enters the thunk again for the rest.
class Invocation {
 public:
  /// The callable's bytes. For a single call this is the archive of the arguments, read first.
  virtual SpanIn& callable() = 0;
  /// The current element's bytes. They start at a multiple of 16.
  virtual SpanIn& arguments() = 0;
  /// Where the current element's result is encoded.
  virtual SpanOut& result() = 0;
  /// Nothing of this element is alive any more: its result may be seen.
  virtual void commit() = 0;
  /// Claims the next element of the chunk. False: there is none.
  virtual bool next() = 0;
  /// By work without a result: callable and arguments are there, and keep what they refer to alive.
  virtual void decoded() {}

  /// A flat chunk is run by blocks, and by nothing of the above but `callable`. When a block is
  /// asked for, what `running` has passed has ended. A block of no elements: there is none left.
  virtual bool is_flat() const { return false; }
  virtual Block next_block() { return {}; }

 protected:
  ~Invocation() = default;
};

}  // namespace procpool::inline v0::detail
