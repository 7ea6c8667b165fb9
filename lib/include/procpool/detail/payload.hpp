#pragma once

// The bytes of a call, and later, in the same place, of its outcome.

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace procpool::inline v0::detail {

/// Up to 48 bytes in place; more in one block; or bytes that somebody else keeps (a slab).
/// Starts at a multiple of 16 in every case.
class Payload {
 public:
  static constexpr std::size_t inline_bytes = 48;

  Payload() noexcept = default;
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  /// Leaves the other one empty.
  Payload(Payload&& other) noexcept : size_(other.size_) {
    if (other.lent_) {
      lend(other.bytes(), std::move(other.lent().keeper));
    } else {
      block_ = std::move(other.block_);
      if (!block_ && size_ != 0) std::memcpy(in_place_.data(), other.in_place_.data(), size_);
    }
    other.clear();
  }
  ~Payload() { clear(); }

  std::span<const std::byte> bytes() const noexcept { return {data(), size_}; }
  std::size_t size() const noexcept { return size_; }

  /// Room to write the first bytes into, before `adopt` says how many there are.
  std::span<std::byte> room() noexcept { return in_place_; }
  /// `size` bytes, in place (block null) or in `block`.
  void adopt(std::size_t size, std::unique_ptr<std::byte[]> block) noexcept {
    block_ = std::move(block);
    size_ = size;
  }
  void assign(std::span<const std::byte> bytes) {
    clear();
    if (bytes.size() > inline_bytes) block_ = std::make_unique_for_overwrite<std::byte[]>(bytes.size());
    std::byte* to = block_ ? block_.get() : in_place_.data();
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    size_ = bytes.size();
  }
  /// Bytes kept alive by `keeper`, read in place.
  void lend(std::span<const std::byte> bytes, std::shared_ptr<const void> keeper) {
    clear();
    new (in_place_.data()) Lent{bytes.data(), std::move(keeper)};
    lent_ = true;
    size_ = bytes.size();
  }
  void clear() noexcept {
    if (lent_) lent().~Lent();
    lent_ = false;
    block_.reset();
    size_ = 0;
  }

 private:
  struct Lent {
    const std::byte* data;
    std::shared_ptr<const void> keeper;
  };
  static_assert(sizeof(Lent) <= inline_bytes);

  Lent& lent() noexcept { return *std::launder(reinterpret_cast<Lent*>(in_place_.data())); }
  const Lent& lent() const noexcept {
    return *std::launder(reinterpret_cast<const Lent*>(in_place_.data()));
  }
  const std::byte* data() const noexcept {
    if (lent_) return lent().data;
    return block_ ? block_.get() : in_place_.data();
  }

  alignas(16) std::array<std::byte, inline_bytes> in_place_;
  std::unique_ptr<std::byte[]> block_;
  std::size_t size_ = 0;
  bool lent_ = false;
};

}  // namespace procpool::inline v0::detail
