#pragma once

// What    A dying worker's last words, in the spare room of its results' control page: there they
// cost
//         a start nothing.
// Writers The worker: a thread that exits or terminates `ending` and what belongs to it, the thread
//         that crashes all else. Only one thread crashes at a time (os/crash_signals.hpp).
// Order   `state` is stored after the words (release); the supervisor loads it first (acquire),
// copies
//         the words once, and believes only a copy that is `legal`.
// Death   At any instruction: words that `state` does not vouch for are not looked at.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace procpool::inline v0::shm {

struct LastWords {
  /// Why the process ends, if it said so. With a signal too: abort comes of terminate, and what
  /// exit destroys may crash.
  enum Ending : std::uint8_t {
    unsaid = 0,
    called_exit,
    called_quick_exit,
    terminated,
    thread_ended,  // the one that runs tasks
    endings,
  };
  enum Flag : std::uint8_t { stack_overflow = 1, crashed_twice = 2, flags_end = 4 };

  std::int32_t signal;       // 0: none
  std::int32_t code;         // si_code
  std::int32_t sender;       // of a signal that a process sent: its pid
  std::int32_t call_number;  // of a system call that was not allowed
  std::uint64_t address;     // si_addr
  std::uint64_t instruction;
  std::uint64_t peak_memory;  // bytes
  std::uint64_t cpu_time;     // nanoseconds
  std::int32_t exit_code;     // what exit was called with
  std::uint8_t ending;
  std::uint8_t flags;
  std::uint16_t type_bytes;
  std::uint16_t text_bytes;
  std::uint16_t stack_bytes;
  char type[192];  // of the exception that std::terminate was called for, as typeid names it
  char text[512];  // its what(); or what the C library said when it aborted
  std::byte stack[1788];
};

struct CrashRecord {
  enum State : std::uint32_t {
    nothing = 0,
    noted,      // to be read when the process has ended
    announced,  // it ends by this signal: read it now
  };
  std::atomic<std::uint32_t> state;
  LastWords words;
};

inline constexpr int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

/// Whether an honest worker can have written this; all sizes are within bounds then.
inline bool legal(const LastWords& words, bool is_announced) {
  const bool known = std::find(std::begin(crash_signals), std::end(crash_signals), words.signal) !=
                     std::end(crash_signals);
  return (known || (words.signal == 0 && !is_announced)) && words.ending < LastWords::endings &&
         words.flags < LastWords::flags_end && words.type_bytes <= sizeof words.type &&
         words.text_bytes <= sizeof words.text && words.stack_bytes <= sizeof words.stack;
}

}  // namespace procpool::inline v0::shm
