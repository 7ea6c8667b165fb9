#pragma once

// Numbers in memory that need not be aligned for them.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

namespace procpool::inline v0::detail {

/// Reads a T from each run of sizeof(T) bytes, once.
template <class T>
class UnalignedIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = const T*;
  using reference = T;

  UnalignedIterator() = default;
  explicit UnalignedIterator(const std::byte* at) : at_(at) {}

  T operator*() const {
    T value;
    std::memcpy(&value, at_, sizeof value);
    return value;
  }
  T operator[](std::ptrdiff_t n) const { return *(*this + n); }

  UnalignedIterator& operator+=(std::ptrdiff_t n) {
    at_ += n * size;
    return *this;
  }
  UnalignedIterator& operator-=(std::ptrdiff_t n) { return *this += -n; }
  UnalignedIterator& operator++() { return *this += 1; }
  UnalignedIterator& operator--() { return *this -= 1; }
  UnalignedIterator operator++(int) { return std::exchange(*this, *this + 1); }
  UnalignedIterator operator--(int) { return std::exchange(*this, *this - 1); }
  friend UnalignedIterator operator+(UnalignedIterator i, std::ptrdiff_t n) { return i += n; }
  friend UnalignedIterator operator+(std::ptrdiff_t n, UnalignedIterator i) { return i += n; }
  friend UnalignedIterator operator-(UnalignedIterator i, std::ptrdiff_t n) { return i -= n; }
  friend std::ptrdiff_t operator-(const UnalignedIterator& a, const UnalignedIterator& b) {
    return (a.at_ - b.at_) / size;
  }
  friend auto operator<=>(const UnalignedIterator&, const UnalignedIterator&) = default;

 private:
  static constexpr std::ptrdiff_t size = sizeof(T);

  const std::byte* at_ = nullptr;
};

/// Appends the numbers in `bytes` to a vector that has reserved room for them.
template <class Vector>
void append_unaligned(Vector& to, std::span<const std::byte> bytes) {
  using T = typename Vector::value_type;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0) {
    const T* first = reinterpret_cast<const T*>(bytes.data());
    to.insert(to.end(), first, first + bytes.size() / sizeof(T));
  } else {
    const UnalignedIterator<T> first(bytes.data());
    to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(bytes.size() / sizeof(T)));
  }
}

}  // namespace procpool::inline v0::detail
