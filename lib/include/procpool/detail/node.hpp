#pragma once

// What    One task as its user's process sees it: the ledger's entry, the state of its future and
//         the bytes of the call or of the outcome, in one allocation, shared by counting.
// Writers Until `done` is set: the supervisor, under its lock. Afterwards nothing changes but the
//         decoded value, which the first reader writes (cell.hpp).
// Order   `done` is set after the outcome and read before it.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <vector>

#include <procpool/detail/payload.hpp>
#include <procpool/fwd.hpp>

namespace procpool::inline v0::detail {

class Keeper;
class SharedMemory;
struct Descriptor;
class Node;
class StopWatch;
class MapProgress;
class TaskUpdates;

/// How a task ended.
enum class Outcome : std::uint8_t {
  none,
  value,      // payload: the result's archive
  remote,     // payload: an error record from the worker
  error,      // extras: an error made at home
  // Of elements of a batch:
  cancelled,  // never started, and nobody wants them
  placed,     // a value that lies in the batch's `sink` already
};

/// A thread that waits in Core::wait, on that thread's stack. Used under the core's lock.
struct Waiter {
  bool (*satisfied)(const void* subject) = nullptr;
  const void* subject = nullptr;
  Waiter* next = nullptr;                // among those who wait for the same thing
  Waiter* next_follower = nullptr;       // among those who sleep
  std::atomic<std::uint32_t> woken = 0;  // a futex
};

/// Something that can be waited for: whoever makes it happen wakes these.
struct Waiters {
  Waiter* first = nullptr;
  void add(Waiter& waiter) noexcept {
    waiter.next = first;
    first = &waiter;
  }
  void remove(Waiter& waiter) noexcept {
    Waiter** at = &first;
    while (*at != nullptr && *at != &waiter) at = &(*at)->next;
    if (*at != nullptr) *at = waiter.next;
  }
};

/// Finished nodes, for one consumer that takes them in order of completion. Shared by that consumer
/// and the nodes, whose core fills it under its lock.
struct CompletionQueue {
  std::deque<Node*> ready;  // still referenced by the consumer
  Waiters waiters;

  /// Null: there is none.
  Node* take() {
    if (ready.empty()) return nullptr;
    Node* const node = ready.front();
    ready.pop_front();
    return node;
  }
};

/// What few tasks have. Under the core's lock from the submission to the end, except `stop`.
struct Extras {
  Extras();
  Extras(const Extras&) = delete;
  Extras& operator=(const Extras&) = delete;
  ~Extras();

  std::exception_ptr error;
  std::vector<std::function<void()>> callbacks;
  std::vector<std::shared_ptr<CompletionQueue>> queues;
  /// Run without the lock by the thread that sees the end: no code of the user's.
  std::vector<std::function<void()>> continuations;
  std::shared_ptr<const void> slab;  // the call's bytes, when they are too large for an arena
  std::shared_ptr<const TaskOptions> options;
  std::unique_ptr<StopWatch> stop;  // of options->stop: the submitter's thread makes it
  std::shared_ptr<TaskUpdates> updates;
  std::shared_ptr<MapProgress> progress;
  std::size_t charged = 0;  // of PoolOptions::max_pending_bytes
  // Memories that the call's bytes name (of a batch: any element's), until it is settled.
  std::vector<std::shared_ptr<SharedMemory>> attachments;
};

/// What is dispatched: a single call, or some elements of a batch. The base of Node and of Chunk.
struct Assignment {
  Assignment* next = nullptr;  // among those that wait
  Assignment* previous = nullptr;
  const Descriptor* descriptor = nullptr;
  const TaskOptions* options = nullptr;  // the node's; null: every default
  std::uint32_t first = 0;               // elements of the batch
  std::uint32_t count = 1;
  std::uint32_t retries = 0;  // left
  std::uint16_t attempt = 1;
  bool is_chunk = false;
  bool waits = false;  // in the ledger's queue
  /// Its bytes are not complete: until they are, whatever becomes of the node, the payload belongs to
  /// whoever completes it.
  bool held = false;
};

/// Who holds a node: a handle of the user's, which has a share in the value, or the library, for as
/// long as it works on it.
enum class Share : std::uint64_t { handle = 1, library = std::uint64_t{1} << 40 };

class Node : public Assignment {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Nodes come and go by the million: they lie side by side (base/node_memory.cpp).
  static void* operator new(std::size_t size);
  static void operator delete(void* memory, std::size_t size) noexcept;
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }

  void retain(Share share = Share::handle) noexcept {
    references_ += static_cast<std::uint64_t>(share);
  }
  void release(Share share = Share::handle) noexcept {
    const auto given_up = static_cast<std::uint64_t>(share);
    if (references_.fetch_sub(given_up) == given_up) delete this;
  }
  /// Whether one handle is all there is.
  bool sole_handle() const noexcept {
    return references_ % static_cast<std::uint64_t>(Share::library) == 1;
  }
  /// Takes a reference. False: it is on its way out.
  bool retain_if_alive(Share share) noexcept {
    std::uint64_t now = references_;
    while (now != 0 &&
           !references_.compare_exchange_weak(now, now + static_cast<std::uint64_t>(share))) {
    }
    return now != 0;
  }

  bool done() const noexcept { return done_ != 0; }
  /// Whether it is done and Cancelled was its end.
  bool was_cancelled() const noexcept { return done() && cancelled; }

  Keeper* core = nullptr;  // holds a reference (core.hpp); null: not submitted
  std::uint64_t id = 0;
  Waiters waiters;
  std::unique_ptr<Extras> extras;
  Payload payload;
  Outcome outcome = Outcome::none;
  bool is_batch = false;
  bool cancelled = false;

  Extras& more() {
    if (!extras) extras = std::make_unique<Extras>();
    return *extras;
  }
  void attach(std::vector<std::shared_ptr<SharedMemory>> memories) {
    if (memories.empty()) return;
    auto& all = more().attachments;
    for (auto& memory : memories) {  // sorted: a map can have as many as it has elements
      const auto at = std::lower_bound(all.begin(), all.end(), memory);
      if (at == all.end() || *at != memory) all.insert(at, std::move(memory));
    }
  }
  /// Core only: the outcome is complete.
  void mark_done() noexcept { done_ = 1; }

 protected:
  Node() = default;
  virtual ~Node();

 private:
  std::atomic<std::uint64_t> references_ = 1;
  std::atomic<std::uint32_t> done_ = 0;
};

/// A counted pointer to a Node or a type derived from it.
template <class T, Share kind = Share::handle>
class Ref {
 public:
  Ref() noexcept = default;
  static Ref adopt(T* node) noexcept {
    Ref ref;
    ref.node_ = node;
    return ref;
  }
  static Ref share(T* node) noexcept {
    if (node != nullptr) node->retain(kind);
    return adopt(node);
  }
  Ref(const Ref& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) node_->retain(kind);
  }
  Ref(Ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Ref() {
    if (node_ != nullptr) node_->release(kind);
  }

  T* get() const noexcept { return node_; }
  T* operator->() const noexcept { return node_; }
  T& operator*() const noexcept { return *node_; }
  explicit operator bool() const noexcept { return node_ != nullptr; }
  T* give_up() noexcept { return std::exchange(node_, nullptr); }

 private:
  T* node_ = nullptr;
};
template <class T>
using LibraryRef = Ref<T, Share::library>;

}  // namespace procpool::inline v0::detail
