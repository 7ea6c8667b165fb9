#pragma once

// Every byte that two processes share, in one picture. Nothing else lives in shared memory.
//
//   pool page      supervisor writes, workers read only
//   ┌──────────────────┐
//   │ target           │  whom workers ring: {epoch, sleeper}                        doorbell.hpp
//   │ memory_growth    │  when a worker is to be replaced; written once
//   │ crash_handlers   │  whether it tells of crashes; written once
//   └──────────────────┘
//   tasks          one per worker; supervisor writes, the worker maps it read-only (sealed)
//   ┌──────────────────┬──────────────────────┬──────────────────────────────────┐
//   │ TaskHeader       │ slots 128 × 64 bytes │ arena: calls that do not fit     │
//   │ tail head wake   │ a call or a message  │ into a slot. The supervisor alone│
//   │ stop rooms stack │ each                 │ allocates (arena.hpp)            │
//   └──────────────────┴──────────────────────┴──────────────────────────────────┘
//   0                  256                    8448                               32768
//   results        one per worker; the worker writes; claim words both (compare-and-swap)
//   ┌──────────────────┬────────────────────┬──────────┬──────────────────────────┐
//   │ ResultHeader     │ claims 128 × 8     │ last     │ result ring              │
//   │ tail asleep      │ who has which slot │ words    │ records, worker → home   │
//   │ consumed running │ (claim.hpp)        │ ¹        │ (ring.hpp)               │
//   └──────────────────┴────────────────────┴──────────┴──────────────────────────┘
//   0                  512                  1536       4096                       36864
//   ¹ crash_record.hpp. Behind the ring there are two pages more: stderr_tail.hpp, stack_record.hpp
//
// Sizes are small because touching fresh pages is what starting a worker costs. What is larger than
// an arena or ring can hold travels in a slab, a memory of its own (channel/slab.hpp).

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shm/crash_record.hpp"
#include "shm/stack_record.hpp"
#include "shm/stderr_tail.hpp"

namespace procpool::inline v0::shm {

inline constexpr std::uint64_t magic = 0x316c6f6f70636f72;  // "rocpool1"
inline constexpr std::uint32_t version = 1;

inline constexpr std::size_t cache_line = 64;
inline constexpr std::size_t page = 4096;

/// Slots per worker: how many calls can wait in a worker's hands. Too few: the worker idles between
/// tiny tasks; too many: memory, and more to take back.
inline constexpr std::uint32_t slot_count = 128;
inline constexpr std::size_t slot_bytes = 64;

/// Rooms per worker, in which large results come home. Too few: fresh pages for who keeps several results;
/// too many: memory.
inline constexpr std::size_t room_count = 8;

using Word64 = std::atomic<std::uint64_t>;
using Word32 = std::atomic<std::uint32_t>;

struct PoolPage {
  alignas(cache_line) Word64 target;
  alignas(cache_line) std::uint64_t memory_growth;  // PoolOptions::max_memory_growth_bytes
  std::uint64_t crash_handlers;                     // PoolOptions::crash_handlers
};

struct TaskHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t slots;
  std::uint64_t total_bytes;
  alignas(cache_line) Word64 tail;  // slots published
  alignas(cache_line) Word64 head;  // result bytes consumed
  alignas(cache_line) Word32 wake;  // the worker's futex
  Word32 stop_changes;              // the futex of those who wait for `stop`
  Word64 stop;                      // the element that is to stop (element.hpp); 0: none
  Word32 control;                   // control packets sent that nobody asked for
  Word64 stack_wanted;              // the element whose stack is (element.hpp); 0: none
  Word32 rooms[room_count];         // how often each was given to the worker (channel/rooms.hpp)
};

struct alignas(slot_bytes) Slot {
  std::byte bytes[slot_bytes];
};

struct ResultHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t claims;
  std::uint64_t total_bytes;
  alignas(cache_line) Word64 tail;      // result bytes published
  alignas(cache_line) Word32 asleep;    // odd: the worker sleeps or is about to
  alignas(cache_line) Word64 consumed;  // slots passed: a hint, validated
  Word64 running;                       // which element of a flat chunk is run (element.hpp)
  Word32 control;                       // control packets taken in: a hint
};

struct TaskMemory {
  TaskHeader header;
  alignas(256) Slot slots[slot_count];
  std::byte arena[32768 - 256 - slot_count * slot_bytes];
};

struct ResultMemory {
  ResultHeader header;
  alignas(512) Word64 claims[slot_count];
  alignas(512) CrashRecord crash;
  alignas(page) std::byte ring[32768];
  StderrTail stderr_tail;
  StackRecord stack;
};

inline constexpr std::size_t arena_bytes = sizeof(TaskMemory::arena);
inline constexpr std::size_t ring_bytes = sizeof(ResultMemory::ring);

static_assert(Word64::is_always_lock_free && Word32::is_always_lock_free,
              "words shared between processes must not hide a lock");
static_assert(sizeof(Word64) == 8 && sizeof(Word32) == 4);
static_assert(sizeof(PoolPage) <= page);
static_assert(sizeof(TaskHeader) == 256 && offsetof(TaskMemory, slots) == 256);
static_assert(offsetof(TaskMemory, arena) == 8448 && sizeof(TaskMemory) == 8 * page);
static_assert(sizeof(ResultHeader) == 256 && offsetof(ResultMemory, claims) == 512);
static_assert(offsetof(ResultMemory, crash) == 1536 && sizeof(CrashRecord) == page - 1536);
static_assert(offsetof(ResultMemory, ring) == page && sizeof(ResultMemory) == 11 * page);
static_assert((slot_count & (slot_count - 1)) == 0 && (ring_bytes & (ring_bytes - 1)) == 0);

}  // namespace procpool::inline v0::shm
