#pragma once

// What    One piece of state that processes share: a memory or a socket, under a number that means
//         it in every process. This process's descriptor and mapping of it.
// Owners  Handles, tasks that are not settled, and (where it came from another process) the registry.
// Kept    The descriptor, to hand it on. Forked children inherit the mapping.
// Death   Of any process: its descriptor and mapping go; the others' stay.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <procpool/detail/shared_memory.hpp>

#include "os/memory.hpp"

namespace procpool::inline v0 {
namespace shared {

/// How a process has it. Also on the wire (ControlKind::memory).
enum class Form : std::uint32_t { writable = 0, read_only, socket };

struct Key {
  std::uint64_t number = 0;
  Form form = Form::writable;
  friend auto operator<=>(const Key&, const Key&) = default;
};

/// Somebody who handed it on and wants to know when it is gone here.
class Giver {
 public:
  virtual void gone() noexcept = 0;

 protected:
  ~Giver() = default;
};

}  // namespace shared

namespace detail {

class SharedMemory {
 public:
  /// Maps it, unless it is a socket. Throws std::system_error.
  SharedMemory(shared::Key key, os::Fd fd, StateType type);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  shared::Key key() const noexcept { return key_; }
  int fd() const noexcept { return fd_.get(); }
  std::byte* data() const noexcept { return mapping_.data(); }
  std::size_t size() const noexcept { return mapping_.size(); }

  /// Whether it is of this type; what came from home without one is what it is first used as.
  bool is(StateType type) noexcept;

  /// The same memory for those who may only read.
  MemoryRef reader();
  void given_by(std::weak_ptr<shared::Giver> giver);

  /// While it is pinned the mapping outlives this object: a thread's robust locks lie in it. (A
  /// thread that ends with one never unpins: nobody can tell its word from a stale one.)
  void pin() noexcept { ++pins_; }
  void unpin() noexcept { --pins_; }

 private:
  shared::Key key_;
  os::Fd fd_;
  os::Mapping mapping_;
  std::atomic<StateType> type_;
  std::atomic<int> pins_ = 0;
  MemoryRef reader_;                               // under the registry's lock
  std::vector<std::weak_ptr<shared::Giver>> givers_;  // under the registry's lock
};

}  // namespace detail
}  // namespace procpool::inline v0
