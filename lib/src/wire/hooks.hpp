#pragma once

// Code that every worker runs before its first task (or the template before its first fork), as it
// lies in a sealed memory:
//
//   u32 count │ per hook: HookHeader │ the callable's archive, from a multiple of 16

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <procpool/hook.hpp>

#include "os/memory.hpp"

namespace procpool::inline v0::wire {

/// What a hook is to its user.
enum class HookKind : std::uint64_t {
  modules,
  preload,
  initializer,
  limits,  // the library's own
  sandbox,
};
/// "the pool's initializer": for messages.
std::string_view name_of(HookKind kind);
/// From what another process says.
HookKind hook_kind(std::uint64_t number);
/// "the pool's initializer threw: …"
std::string hook_failed(HookKind kind, const std::exception_ptr& error);

struct HookHeader {
  HookKind kind;
  std::uint64_t module;  // where its descriptor lies (descriptor.hpp)
  std::uint64_t offset;
  std::uint64_t bytes;
};

/// Those that are not empty. No memory if there are none.
os::Fd write_hooks(std::span<const std::pair<HookKind, Hook>> hooks);

/// Runs them in order; `running` is the one that runs, also when this throws: what they throw, and
/// UnknownTask for code that is not here.
void run_hooks(std::span<const std::byte> memory, HookKind& running);

/// Runs one in this process, from the bytes that would travel; an empty one not.
void run_hook(const Hook& hook);
/// One that has travelled: what it throws, and UnknownTask for code that is not here.
void run_hook(detail::CodeAddress code, std::span<const std::byte> callable);

}  // namespace procpool::inline v0::wire
