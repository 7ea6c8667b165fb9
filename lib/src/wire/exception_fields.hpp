#pragma once

// Building blocks for the tables of known exception types.

#include <procpool/detail/exception_type.hpp>

#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

namespace procpool::inline v0::wire {

/// An exception whose what() cannot be set, with the text that it had.
template <class E>
class Retold : public E {
 public:
  explicit Retold(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// The fields of a type that is its message.
template <class E>
struct TextFields {
  static void encode(detail::SpanOut&, const E&) {}
  static E decode(detail::SpanIn&, const detail::ExceptionText& message) { return E(message.text); }
};

template <class E, class Fields>
void encode_current(detail::SpanOut& ar) {
  try {
    throw;
  } catch (const E& error) {
    Fields::encode(ar, error);
  }
}

template <class E, class Fields>
void raise_decoded(detail::SpanIn& ar, const detail::ExceptionText& message) {
  std::optional<E> error;
  try {
    error.emplace(Fields::decode(ar, message));
    detail::restore_text(*error, message);
    ar.expect_end();
  } catch (...) {
    return;
  }
  detail::raise_nested(std::move(*error));
}

/// The node of E, whose fields are handled by Fields.
template <class E, class Fields>
detail::ExceptionType known_type() {
  return {&typeid(E), detail::nested_type_of<E>(), &encode_current<E, Fields>,
          &raise_decoded<E, Fields>};
}

template <class E>
detail::ExceptionType text_type() {
  return known_type<E, TextFields<E>>();
}

/// The node of a type whose text is its own.
template <class E>
detail::ExceptionType fixed_type() {
  constexpr auto encode = [](detail::SpanOut&) {};
  constexpr auto raise = [](detail::SpanIn&, const detail::ExceptionText& message) {
    E error;
    if (message.text == error.what()) detail::raise_nested(std::move(error));
    detail::raise_nested(Retold<E>(message.text));
  };
  return {&typeid(E), detail::nested_type_of<E>(), encode, raise};
}

}  // namespace procpool::inline v0::wire
