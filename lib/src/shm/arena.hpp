#pragma once

// Who has which bytes of a worker's arena. Private to the supervisor (nothing here is shared), so
// bytes can be freed in any order, at settle or the moment a call is taken back.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace procpool::inline v0::shm {

/// First fit over granules of 64 bytes, from where the last search ended.
template <std::size_t Bytes>
class Arena {
 public:
  static constexpr std::size_t granule = 64;
  static constexpr std::size_t granules = Bytes / granule;
  /// A call larger than this does not go into the arena (it travels in a slab): one call must not
  /// fill what keeps the worker supplied.
  static constexpr std::size_t largest = Bytes / 4;

  std::optional<std::uint32_t> allocate(std::size_t bytes) {
    const std::size_t need = granules_for(bytes);
    if (need > free_) return std::nullopt;
    for (std::size_t pass = 0, from = hand_; pass != 2; ++pass, from = 0) {
      if (const auto at = find(from, need)) {
        mark(*at, need, true);
        hand_ = *at + need;
        return static_cast<std::uint32_t>(*at * granule);
      }
    }
    return std::nullopt;
  }

  /// `bytes`: what was asked for.
  void free(std::uint32_t offset, std::size_t bytes) {
    mark(offset / granule, granules_for(bytes), false);
  }

  bool empty() const { return free_ == granules; }

 private:
  /// At least one: nothing at all still has a place of its own. No sum that can overflow.
  static constexpr std::size_t granules_for(std::size_t bytes) {
    return bytes == 0 ? 1 : (bytes - 1) / granule + 1;
  }
  std::optional<std::size_t> find(std::size_t from, std::size_t need) const {
    std::size_t run = 0;
    for (std::size_t i = from; i != granules; ++i) {
      run = used_[i] ? 0 : run + 1;
      if (run == need) return i + 1 - need;
    }
    return std::nullopt;
  }
  void mark(std::size_t at, std::size_t count, bool used) {
    for (std::size_t i = at; i != at + count; ++i) used_[i] = used;
    free_ = used ? free_ - count : free_ + count;
  }

  std::array<bool, granules> used_{};
  std::size_t free_ = granules;
  std::size_t hand_ = 0;
};

}  // namespace procpool::inline v0::shm
