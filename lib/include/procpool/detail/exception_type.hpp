#pragma once

// How an exception of one type travels: its fields as bytes, thrown again on the other side.

#include <procpool/detail/archive.hpp>
#include <procpool/detail/registration.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace procpool::inline v0::detail {

/// What what() said, cut to a bounded length.
struct ExceptionText {
  std::string text = {};
  bool truncated = false;
};

/// A node of the list of known exception types.
struct ExceptionType {
  const std::type_info* type;
  /// What std::throw_with_nested throws for it; null if it throws the type itself.
  const std::type_info* nested_type;
  /// Called in a handler for such an exception: encodes its fields.
  void (*encode)(SpanOut&);
  /// Called in a handler for the next inner exception: throws one of this type, with the inner one
  /// nested in it if the type allows it. Returns if the fields make no sense.
  void (*raise)(SpanIn&, const ExceptionText&);
  const ExceptionType* next = nullptr;
};

/// Adds a node that lives for ever, once; `added` remembers that. For one thread at a time.
void add_exception_type(ExceptionType& node, bool& added);

template <class E>
inline constexpr bool can_nest =
    std::is_class_v<E> && !std::is_final_v<E> && !std::is_base_of_v<std::nested_exception, E>;

template <class E>
const std::type_info* nested_type_of() {
  if constexpr (can_nest<E>) return &typeid(std::_Nested_exception<E>);
  return nullptr;
}

/// Throws with the active exception nested. Returns if the copy into the exception object threw.
template <class E>
void raise_nested(E&& error) {
  try {
    std::throw_with_nested(std::forward<E>(error));
  } catch (const std::remove_cvref_t<E>&) {
    throw;
  } catch (...) {
    return;
  }
}

/// A standard exception's text is no field of its subclass: put it back where what() finds it.
template <class E>
void restore_text(E& error, const ExceptionText& message) {
  if constexpr (std::is_convertible_v<E*, std::exception*>) {
    const char* now = error.what();
    if (message.text == now || (message.truncated && *now != '\0')) return;
    if constexpr (std::is_convertible_v<E*, std::runtime_error*>) {
      static_cast<std::runtime_error&>(error) = std::runtime_error(message.text);
    } else if constexpr (std::is_convertible_v<E*, std::logic_error*>) {
      static_cast<std::logic_error&>(error) = std::logic_error(message.text);
    }
  }
}

template <class E>
inline constexpr bool built_by_construct =
    !std::default_initializable<E> && cereal::traits::has_load_and_construct<E, SpanIn>::value;

template <class E>
void encode_registered(SpanOut& ar) {
  try {
    throw;
  } catch (const E& error) {
    if constexpr (built_by_construct<E>) encode(ar, std::uint8_t{1});
    encode(ar, error);
  }
}

template <class E>
std::unique_ptr<E> decode_registered(SpanIn& ar) {
  std::unique_ptr<E> error;
  if constexpr (built_by_construct<E>) {
    auto wrapper = cereal::memory_detail::make_ptr_wrapper(error);
    decode_into(ar, wrapper);
  } else {
    error = std::make_unique<E>();
    decode_into(ar, *error);
  }
  ar.expect_end();
  return error;
}

template <class E>
void raise_registered(SpanIn& ar, const ExceptionText& message) {
  std::unique_ptr<E> error;
  try {
    error = decode_registered<E>(ar);
    restore_text(*error, message);
  } catch (...) {
    return;
  }
  raise_nested(std::move(*error));
}

template <class E>
struct Registered {
  static inline ExceptionType node{&typeid(E), nested_type_of<E>(), &encode_registered<E>,
                                   &raise_registered<E>};
  static inline bool added = false;
};

}  // namespace procpool::inline v0::detail
