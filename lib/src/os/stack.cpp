// Walking: where the callers are. What it finds as bytes: stack_bytes.cpp.

#include "os/stack.hpp"

#include <dlfcn.h>
#include <ucontext.h>
#include <unwind.h>

#include <array>
#include <cstring>

#include "os/loaded_module.hpp"

namespace procpool::inline v0::os {
namespace {

struct Walk {
  std::span<std::uintptr_t> frames;
  std::size_t skip = 0;      // frames of this file
  std::uintptr_t after = 0;  // not 0: what comes before this address is left out
  std::size_t steps = 0;
  std::size_t count = 0;
};

/// A handler's own frames, before the one that was interrupted.
constexpr std::size_t max_handler_frames = 32;

_Unwind_Reason_Code step(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  int is_exact = 0;
  const std::uintptr_t ip = _Unwind_GetIPInfo(context, &is_exact);
  if (ip == 0) return _URC_END_OF_STACK;
  if (walk.after != 0) {
    if (ip != walk.after || is_exact == 0) {
      return ++walk.steps == max_handler_frames ? _URC_END_OF_STACK : _URC_NO_REASON;
    }
    walk.after = 0;
  } else if (walk.steps++ < walk.skip) {
    return _URC_NO_REASON;
  }
  if (walk.count == walk.frames.size()) return _URC_END_OF_STACK;
  walk.frames[walk.count++] = is_exact != 0 ? ip : ip - 1;
  return walk.count == walk.frames.size() ? _URC_END_OF_STACK : _URC_NO_REASON;
}

}  // namespace

void warm_up_unwinder() noexcept {
  [[maybe_unused]] static const std::size_t written = [] {
    std::array<std::uintptr_t, 4> frames;
    std::array<std::byte, 512> room;
    return write_stack(std::span(frames).first(capture_stack(frames)), room);
  }();
}

[[gnu::noinline]] std::size_t capture_stack(std::span<std::uintptr_t> frames) noexcept {
  if (frames.empty()) return 0;
  Walk walk{.frames = frames, .skip = 1};
  _Unwind_Backtrace(step, &walk);
  return walk.count;
}

bool stack_takes_no_lock() noexcept {
#ifdef DLFO_STRUCT_HAS_EH_DBASE
  return true;
#else
  return false;
#endif
}

std::size_t capture_interrupted(std::span<std::uintptr_t> frames, void* context,
                                bool may_guess) noexcept {
  if (frames.empty()) return 0;
#if defined(__x86_64__)
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto pc = static_cast<std::uintptr_t>(registers[REG_RIP]);
#elif defined(__aarch64__)
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
  const std::uintptr_t pc = registers.pc;
#else
  const std::uintptr_t pc = 0;
#endif
  LoadedModule found;
  if (pc != 0 && find_module(pc, found)) {
    Walk walk{.frames = frames, .after = pc};
    _Unwind_Backtrace(step, &walk);
    if (walk.count != 0) return walk.count;
  }
  frames[0] = pc;
  if (!may_guess || frames.size() == 1 || find_module(pc, found)) return 1;
    // A call of what is no code: the unwinder reads the context where it lies, and is shown the
    // caller.
#if defined(__x86_64__)
  const auto sp = registers[REG_RSP];
  std::uintptr_t caller = 0;
  std::memcpy(&caller, reinterpret_cast<const void*>(sp), sizeof caller);
  if (!find_module(caller, found)) return 1;
  registers[REG_RIP] = static_cast<greg_t>(caller - 1);
  registers[REG_RSP] = sp + static_cast<greg_t>(sizeof caller);
  Walk walk{.frames = frames.subspan(1), .after = caller - 1};
  _Unwind_Backtrace(step, &walk);
  registers[REG_RIP] = static_cast<greg_t>(pc);
  registers[REG_RSP] = sp;
  return 1 + walk.count;
#elif defined(__aarch64__)
  const std::uintptr_t caller = registers.regs[30];
  if (!find_module(caller, found)) return 1;
  registers.pc = caller - 4;
  Walk walk{.frames = frames.subspan(1), .after = caller - 4};
  _Unwind_Backtrace(step, &walk);
  registers.pc = pc;
  return 1 + walk.count;
#else
  return 1;
#endif
}

}  // namespace procpool::inline v0::os
