#pragma once

// SharedArray, and how it meets span parameters.

#include <procpool/detail/argument.hpp>
#include <procpool/detail/shared_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace procpool::inline v0 {
namespace detail {

/// n elements of `element` bytes each, all zero.
MemoryRef make_shared_array(std::size_t n, std::size_t element, StateType type);
[[noreturn]] void throw_out_of_array(std::size_t index, std::size_t size);

}  // namespace detail

/// An array that several processes see in place. A copy of the handle is another handle on the same
/// elements; an argument crosses as a handle, whatever the array's size: nothing is copied. The
/// elements begin as zeros and live as long as any handle does.
///
/// T is trivially copyable and holds no pointers. `SharedArray<const T>` is the read-only handle,
/// which a `SharedArray<T>` converts to; where it crosses to, the memory is mapped read-only, and who
/// writes there all the same ends by SIGSEGV (WorkerCrashed). For a `std::span<T>` or
/// `std::span<const T>` parameter either crosses as a handle, too.
///
/// Handles are as thread-safe as pointers are; the elements are plain memory: who writes them while
/// others read needs a Lock, or T = std::atomic_ref's operand. multiprocessing.Array and RawArray,
/// without the lock (Python 3.14).
template <class T>
class SharedArray {
  static_assert(detail::check_shareable<std::remove_const_t<T>>());

 public:
  ///@{

  /// What std::ranges::contiguous_range asks for.
  using value_type = std::remove_const_t<T>;
  using size_type = std::size_t;
  using reference = T&;
  using iterator = T*;
  ///@}

  /// An empty handle: no elements. It cannot be sent.
  SharedArray() noexcept = default;
  /// n elements, all bytes zero. Throws std::system_error when there is not so much memory, Misuse for
  /// more than the address space has.
  explicit SharedArray(std::size_t n)
    requires(!std::is_const_v<T>)
      : memory_(detail::make_shared_array(n, sizeof(T), type())),
        data_(reinterpret_cast<T*>(detail::memory_start(*memory_))),
        size_(n) {}
  /// The read-only handle of the same elements.
  template <class U>
    requires(std::is_const_v<T> && std::is_same_v<U, value_type>)
  SharedArray(const SharedArray<U>& other) noexcept
      : memory_(other.memory_), data_(other.data_), size_(other.size_) {}

  /// The first element; null for an empty handle.
  T* data() const noexcept { return data_; }
  ///@{

  /// Elements, not bytes.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  ///@}
  ///@{

  /// All elements. Iterators are valid while any handle lives in this process.
  T* begin() const noexcept { return data_; }
  T* end() const noexcept { return data_ + size_; }
  ///@}
  /// Unchecked: undefined for i >= size().
  T& operator[](std::size_t i) const noexcept { return data_[i]; }
  /// Throws std::out_of_range for i >= size().
  T& at(std::size_t i) const {
    if (i >= size_) detail::throw_out_of_array(i, size_);
    return data_[i];
  }
  ///@{

  /// Unchecked: undefined when there are none.
  T& front() const noexcept { return data_[0]; }
  T& back() const noexcept { return data_[size_ - 1]; }
  ///@}

  /// Whether both are handles on the same elements.
  friend bool operator==(const SharedArray& a, const SharedArray& b) noexcept {
    return a.data_ == b.data_ && a.size_ == b.size_;
  }

  /// \private For this library's archives.
  void save(detail::SpanOut& out) const {
    detail::encode(out, std::uint64_t{size_});
    detail::send_memory(out, memory_, handed);
  }
  /// \private
  void load(detail::SpanIn& in) {
    const auto count = in.read_scalar<std::uint64_t>();
    memory_ = detail::receive_memory(in, type(), count, sizeof(T), handed);
    data_ = reinterpret_cast<T*>(detail::memory_start(*memory_));
    size_ = static_cast<std::size_t>(count);
  }

 private:
  template <class U>
  friend class SharedArray;

  static constexpr auto handed =
      std::is_const_v<T> ? detail::Handed::read_only : detail::Handed::writable;
  static constexpr detail::StateType type() {
    return detail::state_type<SharedArray<std::remove_const_t<T>>>();
  }

  detail::MemoryRef memory_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {

/// A handle for a span parameter: the worker holds the handle, and the callable sees the elements.
template <class A, class T, std::size_t Extent>
struct SharedSpanSlot : ValueSlot<A> {
  static std::span<T, Extent> pass(const A& stored) {
    if (Extent != std::dynamic_extent && stored.size() != Extent)
      throw_decoding_error("a span does not have as many elements as its type says");
    return std::span<T, Extent>(stored.data(), stored.size());
  }
};

template <class T, class U, std::size_t Extent>
  requires std::is_convertible_v<T (*)[], U (*)[]>
struct Slot<SharedArray<T>, std::span<U, Extent>>
    : SharedSpanSlot<SharedArray<T>, U, Extent> {};
/// Who may only read gets a handle that can only read.
template <class T, std::size_t Extent>
  requires(!std::is_const_v<T>)
struct Slot<SharedArray<T>, std::span<const T, Extent>>
    : SharedSpanSlot<SharedArray<const T>, const T, Extent> {};

}  // namespace detail
}  // namespace procpool::inline v0
