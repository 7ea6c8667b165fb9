#pragma once

// The stack as it is now, in a form that means the same in another process.
//
// Taking it allocates nothing and, with glibc 2.35 and libgcc 12 or later, takes no lock: it may be done
// in a signal handler. Elsewhere the unwinder itself takes the loader's lock, and so does `write_stack`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// More frames than these are not looked at: the outermost are left out.
inline constexpr std::size_t max_frames = 64;
/// Enough for `max_frames` and the usual number of modules. Where it is too small a module loses
/// its path first, and then the outermost frames are left out.
inline constexpr std::size_t max_stack_bytes = 4000;

/// To be called before a stack is taken in a signal handler: the unwinder's first use loads and
/// allocates. Once is enough, also for forked copies; more costs nothing.
void warm_up_unwinder() noexcept;

/// Whether that is so here, as far as this was built for it: with _dl_find_object (glibc 2.35).
bool stack_takes_no_lock() noexcept;

/// Where the callers of the calling function are, innermost first: addresses within the calling
/// instruction (the return address less one), so that they lie in its line. The calling function is
/// the first. Returns how many there are. Frames without unwind information end it.
std::size_t capture_stack(std::span<std::uintptr_t> frames) noexcept;

/// In a signal handler, with its third argument: the first frame is the instruction that was
/// interrupted, whatever the handler has called since. Where that is no code (the call of a null
/// function pointer) its caller follows, if `may_guess`: code without a module (a JIT's) looks the same,
/// and then the guess may read what is not there. So it is only for who dies anyway. `context` is changed
/// on the way and left as it was.
std::size_t capture_interrupted(std::span<std::uintptr_t> frames, void* context,
                                bool may_guess) noexcept;

/// Writes what `read_stack` reads, at most `room`'s size; returns how many bytes.
std::size_t write_stack(std::span<const std::uintptr_t> frames, std::span<std::byte> room) noexcept;

/// A stack of any process.
struct Stack {
  static constexpr std::uint32_t no_module = 0xffff;
  struct Frame {
    std::uint32_t module = no_module;  // in `modules`
    std::uint64_t offset = 0;          // from where it was loaded; without a module the address
  };
  struct Module {
    std::string build_id = {};  // its bytes; empty: it has none
    std::string path = {};      // empty: not known
    bool is_program = false;    // not a library
    friend bool operator==(const Module&, const Module&) = default;
  };
  std::vector<Frame> frames = {};
  std::vector<Module> modules = {};
};

/// The bytes may be anything: nothing, if they are not what `write_stack` writes.
std::optional<Stack> read_stack(std::span<const std::byte>);

}  // namespace procpool::inline v0::os
