#pragma once

// Leaves capsules (wire/capsule.hpp) in a folder. On the background thread, without the lock.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <procpool/detail/node.hpp>

#include "wire/capsule.hpp"

namespace procpool::inline v0::supervisor {

/// How many stay in a folder. Too few: the one that matters is gone; too many: a full disk.
inline constexpr std::size_t most_capsules = 100;

/// A task, or one element, that has failed for good. Made under the lock; `work` stays as it is
/// until it is settled.
struct Failed {
  wire::Failure failure = wire::Failure::crash;
  const detail::Assignment* work = nullptr;
  bool names_state = false;             // its bytes, or those of another element of its map
  bool was_borrowed = false;            // its element lay in memory of the caller's
  std::vector<std::byte> element = {};  // and this is a copy
};
Failed failed(const detail::Assignment& work, wire::Failure failure);

class CapsuleWriter {
 public:
  /// `hooks_name_state`: what they bind lives with the program.
  CapsuleWriter(std::filesystem::path folder, wire::CapsulePool pool, bool hooks_name_state);

  /// The file; empty: it could not be written, which is told on stderr, once.
  std::filesystem::path write(const Failed& failed, const std::string& report) noexcept;

 private:
  wire::Capsule capsule(const Failed& failed, const std::string& report) const;
  std::string save(std::span<const std::byte> bytes, const wire::Capsule& capsule) const;
  void tell(const char* why) noexcept;

  std::filesystem::path folder_;
  wire::CapsulePool pool_;
  std::size_t hook_bytes_ = 0;
  bool hooks_name_state_;
  bool told_ = false;
};

}  // namespace procpool::inline v0::supervisor
