#pragma once

// What a worker may use: the kernel's resource limits, set on itself.

#include <cstdint>
#include <limits>

namespace procpool::inline v0::os {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// As PoolOptions::limits, in the kernel's units.
struct ResourceLimits {
  std::uint64_t memory = unlimited;  // bytes of private memory
  std::uint64_t cpu_seconds = unlimited;
  std::uint64_t open_files = unlimited;  // beyond those that are open
  std::uint64_t file_bytes = unlimited;
  std::uint64_t core_bytes = unlimited;

  bool any() const noexcept {
    return (memory & cpu_seconds & open_files & file_bytes & core_bytes) != unlimited;
  }
};

/// From now on this process has at most that, or what it may have already where that is less.
/// Throws std::runtime_error when it has more memory than that, std::system_error (setrlimit).
void set_limits(const ResourceLimits& limits);

/// While it lives this process may have a little more of what limits took: the runtime's own needs
/// when a task has used up everything. Of memory a MiB, of descriptors `spare_descriptors`. Changes
/// nothing where there is no limit, and does not throw.
class Headroom {
 public:
  Headroom() noexcept { lift(true); }
  ~Headroom() { lift(false); }
  Headroom(const Headroom&) = delete;
  Headroom& operator=(const Headroom&) = delete;

  static constexpr std::uint64_t spare_memory = 1 << 20;
  static constexpr std::uint64_t spare_descriptors = 8;

 private:
  static void lift(bool up) noexcept;
};

}  // namespace procpool::inline v0::os
