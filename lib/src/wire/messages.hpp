#pragma once

// What the bytes in slots, records and control packets mean. Fixed little structures, copied out
// and checked by `read` before anything is believed; no ring and no process is known here.
//
//   slot (64 bytes)     CallHeader 16 │ 48 bytes: the call itself, or Elsewhere: where it lies
//   call, single        callable and arguments, one archive
//   call, chunk         ChunkHeader │ callable │ ends (unless every element has one size) │ elements
//   record              OutcomeHeader 8 │ value, error record, or SlabOutcome
//
// Alignment: a slot's payload, an arena block, a slab, a chunk's callable and elements start at
// multiples of 16, so that span parameters can be seen in place.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "os/process.hpp"

namespace procpool::inline v0::wire {

/// One copy out of memory that somebody else may still write.
template <class T>
std::optional<T> read(std::span<const std::byte> bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return std::as_bytes(std::span<const T, 1>(&value, 1));
}

// ---- home → worker: slots ------------------------------------------------------------------

enum class CallKind : std::uint8_t {
  call = 1,  // one call
  chunk,     // elements of a map
  bind,      // task number → code
  stop,      // finish: nothing comes after this
};

enum class Place : std::uint8_t { slot = 0, arena, slab, stage };

struct CallHeader {
  CallKind kind;
  Place place;
  std::uint16_t attempt;
  std::uint32_t task;    // bound number
  std::uint32_t size;    // in the slot: payload bytes. Elsewhere: of the caller's name for the task,
                         // with which the payload then ends
  std::uint32_t number;  // of a chunk: elements; of a call: how many tasks the pool had before
  std::uint32_t count() const { return kind == CallKind::chunk ? number : 1; }
};
inline constexpr std::size_t inline_bytes = 64 - sizeof(CallHeader);

struct Elsewhere {
  std::uint32_t offset;  // in the arena; or which block of the stage
  std::uint32_t slab;    // or this slab's number: even; rooms have odd ones
  std::uint64_t size;
};

struct Bind {
  std::uint64_t module;
  std::uint64_t offset;
};

struct ChunkHeader {
  std::uint32_t callable_bytes;
  std::uint32_t first_index;    // in the map, of the call's element 0
  std::uint32_t element_bytes;  // of each element; various_bytes: a table of u64 ends follows
  std::uint32_t alignment;      // of each element's start, counted from the first
};
inline constexpr std::uint32_t various_bytes = 0xffffffff;

static_assert(sizeof(CallHeader) == 16 && sizeof(ChunkHeader) == 16);
static_assert(sizeof(Elsewhere) <= inline_bytes && sizeof(Bind) <= inline_bytes);

constexpr std::uint64_t align16(std::uint64_t size) { return (size + 15) & ~std::uint64_t{15}; }

// ---- worker → home: records ----------------------------------------------------------------

enum class RecordKind : std::uint32_t {
  value = 1,    // the result's archive
  error,        // an error record (error_record.hpp)
  slab_value,   // SlabOutcome
  slab_error,
  progress,     // Progress: the task is at work, and this is no outcome
  log,          // a line of text; the same
  start_error,  // an error record: what a hook threw; of no call, `element` says which (hooks.hpp)
  run,          // a u32: so many values from `element` on lie in the call's block of the stage
};

struct Progress {
  std::uint64_t done;
  std::uint64_t total;
};

struct OutcomeHeader {
  std::uint32_t call;     // the slot's sequence number, low 32 bits
  std::uint32_t element;  // of the call
};

struct SlabOutcome {
  std::uint32_t slab;
  std::uint32_t reserved;
  std::uint64_t size;
};

// ---- control packets -----------------------------------------------------------------------

enum class ControlKind : std::uint32_t {
  start = 1,   // home → worker, with descriptors (StartFds order)
  hello,       // worker → home
  ready,       // worker → home: the initializer is through; `value`: gaps of its sandbox
  grown,       // worker → home: it has grown by more than it may
  need_slab,   // worker → home: room for a large result
  slab,        // home → worker, with its memory: a slab for large calls, or a room for large results; the
               // room that had its number is gone
  no_slab,     // home → worker: why not (errno)
  stage,       // home → worker, with its two memories
  run,         // home → the child of a Process, instead of start; with descriptors (RunFds order)
  memory,      // home → worker, with its descriptor: shared state that calls will name
  forget,      // home → worker: none of them will any more
  drop_slab,   // home → worker: no call will come in that slab
  lost_slab,   // worker → home: it could not take in that slab or room
  memories,    // home → the child of a Process, after run: `number` of the descriptors that its call
               // names, in their order there
};

struct Control {
  ControlKind kind;
  std::uint32_t number;  // slab number, errno, form of the shared memory; start: StartExtras
  std::uint64_t value;   // start, run: version; hello: program identity; slabs: bytes; memory: number
};

enum StartFds : int { pool_page_fd, tasks_fd, results_fd, leader_bell_fd, background_bell_fd,
                      tether_fd, start_fd_count };
/// What follows these, in this order, where there is any: bits of the start message's number.
enum StartExtras : std::uint32_t { with_hooks = 1, with_rules = 2 };

/// Of `run`: the call's memory and the lifeline.
enum RunFds : int { process_call_fd, process_tether_fd, run_fd_count };

/// What the memory of a Process's call begins with. What it names of shared state follows, then the
/// archive (callable and arguments), then the process's name.
struct ProcessCall {
  std::uint64_t module;  // of its descriptor
  std::uint64_t offset;
  std::uint64_t archive_bytes;
  std::uint32_t name_bytes;
  std::uint32_t memories;
};
struct NamedMemory {
  std::uint64_t number;
  std::uint32_t form;
  std::uint32_t reserved;
};
static_assert(sizeof(ProcessCall) % 16 == 0 && sizeof(NamedMemory) == 16);

/// The kernel takes 253 descriptors with one message.
inline constexpr std::size_t memories_at_once = 250;

// ---- supervisor ↔ template process -----------------------------------------------------------

enum class TemplateKind : std::uint32_t {
  setup = 1,  // → template, with a pidfd of the supervisor and what it is to run first, if anything;
              //   `value`: how many threads libraries may use (os/thread_caps.hpp), 0: any
  ready,      // ← template: `value` is its program identity
  fork,       // → template, with the worker's control socket; `ticket` names the request. What is
              //   said of that worker goes to a second descriptor instead, when there is one
  forked,     // ← template, with a pidfd; `value` is the pid
  not_forked,  // ← template: `value` is errno
  exited,     // ← template: `ticket` is the pid, `value` packs the status
  not_preloaded,  // ← template, instead of `ready`, with a memory: an error record of `value` bytes;
                  //   `ticket` is which hook threw it (hooks.hpp)
};

struct TemplateMessage {
  TemplateKind kind;
  std::uint32_t reserved;
  std::uint64_t ticket;
  std::uint64_t value;
  std::uint64_t peak_memory = 0;  // of `exited`: bytes
  std::uint64_t cpu_time = 0;     // nanoseconds
};

constexpr std::uint64_t pack_status(const os::ExitStatus& status) {
  return std::uint64_t{static_cast<std::uint8_t>(status.how)} << 40 |
         std::uint64_t{status.core} << 32 | static_cast<std::uint32_t>(status.value);
}
constexpr os::ExitStatus unpack_status(std::uint64_t packed) {
  const auto how = std::min<std::uint64_t>(packed >> 40, 2);
  return {static_cast<os::ExitStatus::How>(how), static_cast<int>(packed & 0xffffffff),
          (packed >> 32 & 1) != 0};
}

inline constexpr std::uint64_t protocol_version = 1;

}  // namespace procpool::inline v0::wire
