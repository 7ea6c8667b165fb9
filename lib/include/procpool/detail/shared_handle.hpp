#pragma once

// What all handles of shared objects have in common: they are counted pointers to a memory that
// travel. H is the handle's own type.

#include <procpool/detail/archive.hpp>
#include <procpool/detail/shared_memory.hpp>
#include <procpool/detail/time.hpp>

#include <utility>

namespace procpool::inline v0::detail {

template <class H>
class SharedHandle {
 public:
  /// Handles on the same state.
  friend bool operator==(const SharedHandle& a, const SharedHandle& b) noexcept {
    return a.memory_ == b.memory_;
  }

  /// For this library's archives.
  void save(SpanOut& out) const { send_memory(out, memory_, Handed::writable); }
  void load(SpanIn& in) {
    memory_ = receive_memory(in, state_type<H>(), 1, 1, Handed::writable);
  }

 protected:
  /// A moved-from handle is empty, and one that is about to be decoded into.
  template <class Make>
  explicit SharedHandle(Make make) {
    if (decoding == 0) memory_ = make(state_type<H>());
  }

  /// Throws Misuse for an empty handle.
  SharedMemory& state() const {
    if (!memory_) throw_empty_handle();
    return *memory_;
  }

 private:
  MemoryRef memory_;
};

}  // namespace procpool::inline v0::detail
