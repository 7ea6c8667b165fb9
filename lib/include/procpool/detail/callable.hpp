#pragma once

// How a callable crosses: a plain function as its place in its module, a captureless lambda as
// nothing at all (its type says everything), a functor as its data. `name` is for messages: it is
// given what save wrote, or any other bytes.

#include <procpool/detail/archive.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/type_text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace procpool::inline v0::detail {

template <class F>
concept FunctionPointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

inline CodeAddress read_code_address(SpanIn& in) {
  CodeAddress where;
  in.read(&where, sizeof where);
  return where;
}

/// A functor or a lambda.
template <class F>
struct CallableCodec {
  static void save(SpanOut& out, const F& f) {
    if constexpr (!std::is_empty_v<F>) encode(out, f);
  }
  static F load(SpanIn& in) {
    if constexpr (std::is_empty_v<F>) {
      return F{};
    } else {
      return decode<F>(in);
    }
  }
  static std::string name(std::span<const std::byte>) { return readable_type(type_text<F>()); }
};

template <FunctionPointer F>
struct CallableCodec<F> {
  static void save(SpanOut& out, F f) {
    const CodeAddress where = identify_function(reinterpret_cast<const void*>(f));
    out.write(&where, sizeof where);
  }
  static F load(SpanIn& in) {
    return reinterpret_cast<F>(const_cast<void*>(find_function(read_code_address(in))));
  }
  static std::string name(std::span<const std::byte> bytes) {
    return function_name(bytes, type_text<F>());
  }
};

/// A pointer to a member function as the Itanium C++ ABI lays it out: a function and what to add to
/// the object's address; or, for a virtual one, a place in the vtable, marked by an odd number.
/// 64-bit ARM, whose functions may lie at odd addresses, keeps the mark in the other word.
struct MemberPointer {
  std::uintptr_t function;
  std::ptrdiff_t adjustment;

  bool is_virtual() const {
#if defined(__aarch64__)
    return adjustment % 2 != 0;
#else
    return function % 2 != 0;
#endif
  }
  bool is_null() const { return function == 0 && !is_virtual(); }
};
/// As it travels. A virtual one has module 0 and keeps its place in the vtable, which is the same
/// in every process of the build.
struct SentMember {
  CodeAddress function;
  std::int64_t adjustment;
};
SentMember send_member(MemberPointer);
MemberPointer receive_member(SentMember);

template <class F>
  requires std::is_member_function_pointer_v<F>
struct CallableCodec<F> {
  static_assert(sizeof(F) == sizeof(MemberPointer));

  static void save(SpanOut& out, F f) {
    const SentMember sent = send_member(pointer(f));
    out.write(&sent, sizeof sent);
  }
  static F load(SpanIn& in) {
    SentMember sent;
    in.read(&sent, sizeof sent);
    const MemberPointer received = receive_member(sent);
    F f;
    std::memcpy(&f, &received, sizeof f);
    return f;
  }
  static std::string name(std::span<const std::byte> bytes) {
    return function_name(bytes, type_text<F>());
  }

 private:
  static MemberPointer pointer(F f) {
    MemberPointer member;
    std::memcpy(&member, &f, sizeof member);
    return member;
  }
};

/// A pointer to a data member is an offset into the object.
template <class F>
  requires std::is_member_object_pointer_v<F>
struct CallableCodec<F> {
  static void save(SpanOut& out, F f) {
    if (f == nullptr) throw_null_callable();
    out.write(&f, sizeof f);
  }
  static F load(SpanIn& in) {
    F f;
    in.read(&f, sizeof f);
    return f;
  }
  static std::string name(std::span<const std::byte>) { return readable_type(type_text<F>()); }
};

}  // namespace procpool::inline v0::detail
