#pragma once

// What the driver's pollers watch, as one number: what kind of thing, and of which worker.

#include <cstdint>

#include "supervisor/launcher.hpp"

namespace procpool::inline v0::supervisor {

enum class Key : std::uint8_t { bell = 1, exit, control, launcher };

constexpr std::uint64_t key_of(Key kind, Ticket ticket) {
  return static_cast<std::uint64_t>(kind) << 56 | ticket;
}
constexpr Key kind_of(std::uint64_t key) { return static_cast<Key>(key >> 56); }
constexpr Ticket ticket_of(std::uint64_t key) { return key & ((std::uint64_t{1} << 56) - 1); }

}  // namespace procpool::inline v0::supervisor
