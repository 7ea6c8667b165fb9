#pragma once

// The signals a process dies of by its own doing: what there is to tell is told before it dies of
// them, on a stack of their own, without memory from the heap and without locks.

#include <cstdint>

namespace procpool::inline v0::os {

struct Crash {
  int signal = 0;
  int code = 0;         // si_code
  int sender = 0;       // a pid, if a process sent it
  int call_number = 0;  // of SIGSYS: the system call
  std::uintptr_t address = 0;
  std::uintptr_t instruction = 0;
  bool stack_overflow = false;
  bool again = false;       // the first telling crashed itself: tell only that
  void* context = nullptr;  // a ucontext_t
};

/// What to do about a crash; `told_later` when a handler of the user's own has its turn after this,
/// and `withdraw` when that has mended it. Async-signal-safe.
struct CrashTeller {
  void (*tell)(const Crash& crash, bool told_later) noexcept = nullptr;
  void (*withdraw)() noexcept = nullptr;
};

/// From now on, in this process alone and not in copies of it, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
/// SIGABRT, SIGSYS and SIGTRAP are told before they have their usual effect. Once per process, by a
/// thread that lives on; the overflow of another thread's stack goes untold. Where a sanitizer has
/// its handlers it keeps them, and nothing is told. A handler that is there already is called after
/// the telling. Throws std::system_error.
void tell_crashes(const CrashTeller& teller);

/// The calling thread gets a stack of its own for its handlers, whatever it had. Throws
/// std::system_error.
void take_own_stack();

/// Whether a sanitizer that writes its own reports of crashes is part of this process.
bool sanitizer_reports() noexcept;

/// Of this process, async-signal-safe: the most memory it ever had resident (in bytes; 0: not
/// known), and the processor time it has used (in nanoseconds).
std::uint64_t own_peak_memory() noexcept;
std::uint64_t own_cpu_time() noexcept;

/// What the C library said when it aborted this process; null: nothing, or it does not tell.
const char* abort_message() noexcept;
/// Looks for where it says that: not async-signal-safe.
void find_abort_message() noexcept;

}  // namespace procpool::inline v0::os
