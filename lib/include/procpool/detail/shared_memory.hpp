#pragma once

// The memory behind the handles of shared.hpp, and how a handle travels: its bytes name the memory,
// and the archive notes that the memory itself must get there first (Node::attach).

#include <procpool/detail/aggregate.hpp>
#include <procpool/detail/span_in.hpp>
#include <procpool/detail/span_out.hpp>
#include <procpool/detail/type_text.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

namespace procpool::inline v0::detail {

using MemoryRef = std::shared_ptr<SharedMemory>;

/// What a handle's type is told by when it comes from a worker.
using StateType = std::uint64_t;
template <class Handle>
consteval StateType state_type() {
  StateType digest = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : type_text<Handle>()) {
    digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return digest;
}

/// At least `bytes` zeros. Throws std::system_error when the machine has no more memory or
/// descriptors.
MemoryRef make_shared_memory(std::size_t bytes, StateType type);
/// Where it lies in this process, at the start of a page.
std::byte* memory_start(const SharedMemory& memory) noexcept;

enum class Handed : std::uint8_t { writable, read_only, socket };

/// Throws Misuse for an empty handle.
void send_memory(SpanOut& out, const MemoryRef& memory, Handed how);
/// Throws DecodingError when this process has no such memory of this type, with room for `count`
/// elements; std::system_error when it cannot be mapped.
MemoryRef receive_memory(SpanIn& in, StateType type, std::uint64_t count, std::size_t element,
                         Handed how);

[[noreturn]] void throw_empty_handle();

// What may lie in memory that several processes see.

template <class T>
inline constexpr bool is_view = false;
template <class T, std::size_t Extent>
inline constexpr bool is_view<std::span<T, Extent>> = true;
template <class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template <class T>
inline constexpr bool is_view<std::reference_wrapper<T>> = true;

template <class T>
consteval bool holds_pointers();
template <class... Members>
consteval bool any_holds_pointers(TypeList<Members...>) {
  return (holds_pointers<Members>() || ...);
}
/// As far as it can be seen: not within C arrays and classes with private members.
template <class T>
consteval bool holds_pointers() {
  if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || is_view<T>) {
    return true;
  } else if constexpr (is_plain_struct<T>()) {
    return any_holds_pointers(MemberTypes<T>());
  } else {
    return false;
  }
}

/// Refuses, with a sentence, what cannot be shared.
template <class T>
consteval bool check_shareable() {
  static_assert(!std::is_reference_v<T> && !std::is_volatile_v<T>,
                "what is shared is a plain type: write it without & and volatile");
  static_assert(std::is_trivially_copyable_v<T>,
                "what several processes see in one memory must be trivially copyable: share "
                "numbers or structs of numbers, and send strings and containers as arguments");
  static_assert(!holds_pointers<T>(),
                "a pointer, span or string_view means nothing in another process: share an index "
                "into the array instead");
  return true;
}

}  // namespace procpool::inline v0::detail
