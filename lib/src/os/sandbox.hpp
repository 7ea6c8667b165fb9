#pragma once

// The door that a worker closes behind itself. In the worker: no privileges, Landlock, and last the
// filter that its home has made (call_filter.hpp). Each of these works without privileges.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// What could not be enforced: bits of a word that workers send home.
enum SandboxGap : std::uint32_t {
  no_filter = 1,         // libseccomp is not there
  filter_refused = 2,    // the kernel takes none
  no_landlock = 4,       // the kernel has none, or it is off
  landlock_refused = 8,  // or does not do as asked
  privileges_kept = 16,  // capabilities stayed
  threads_before = 32,   // threads that the initializer started are not all held
};
inline constexpr std::uint32_t all_gaps = 63;

/// A line for each, as PoolStats::sandbox_gaps has them.
std::vector<std::string> gap_lines(std::uint32_t gaps);

/// From now on. `filter` is what call_filter has made, or empty: a system call that
/// it does not allow is SIGSYS. Returns the gaps. Throws std::system_error for a path of `readable` that cannot be opened.
std::uint32_t close_sandbox(std::span<const std::byte> filter,
                            const std::vector<std::string>& readable);

/// For tests: what this process, and what is forked from it, takes for missing in its kernel.
void pretend_gaps(std::uint32_t gaps) noexcept;
std::uint32_t pretended_gaps() noexcept;

}  // namespace procpool::inline v0::os
