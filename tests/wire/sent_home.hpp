// Errors as they go from a worker to its pool, and types of a user that go with them.
#pragma once

#include <gtest/gtest.h>

#include <cereal/access.hpp>
#include <cereal/types/vector.hpp>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <procpool/errors.hpp>

#include "wire/exception_codec.hpp"

namespace wire_test {

namespace wire = procpool::wire;

inline constexpr std::string_view expected_trace =
    "in square(int) [worker 4711, task 17, attempt 1]";

template <class Throw>
std::vector<std::byte> encode_thrown(Throw thrower) {
  try {
    thrower();
  } catch (...) {
    return wire::encode_current_exception({"square(int)", 4711, 17, 1});
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

template <class Throw>
std::exception_ptr sent_home(Throw thrower) {
  return wire::rebuild(wire::parse(encode_thrown(thrower)));
}

/// What arrives as an E, with the trace as its innermost link.
template <class E, class Throw, class Check>
void expect_home(Throw thrower, Check check) {
  try {
    std::rethrow_exception(sent_home(thrower));
  } catch (const E& error) {
    EXPECT_EQ(procpool::trace(error), expected_trace);
    check(error);
  }
}

template <class E>
void expect_same_text(const E& original) {
  expect_home<E>([&] { throw original; },
                 [&](const E& error) { EXPECT_STREQ(error.what(), original.what()); });
}

template <class E>
std::string text_of_thrown(const std::function<void()>& thrower) {
  try {
    thrower();
  } catch (const E& error) {
    return error.what();
  }
  return "not thrown";
}

/// For exceptions that the library itself throws.
template <class E>
void expect_home_from(const std::function<void()>& thrower) {
  const std::string text = text_of_thrown<E>(thrower);
  expect_home<E>(thrower, [&](const E& error) { EXPECT_EQ(error.what(), text); });
}

struct FieldError : std::runtime_error {
  FieldError() : runtime_error("") {}
  FieldError(const std::string& text, int at_row, std::vector<int> at_columns)
      : runtime_error(text), row(at_row), columns(std::move(at_columns)) {}
  template <class A>
  void serialize(A& ar) {
    ar(row, columns);
  }
  int row = 0;
  std::vector<int> columns;
};
struct ConstructedError : std::logic_error {
  explicit ConstructedError(int number)
      : logic_error("code " + std::to_string(number)), code(number) {}
  template <class A>
  void serialize(A& ar) {
    ar(code);
  }
  template <class A>
  static void load_and_construct(A& ar, cereal::construct<ConstructedError>& construct) {
    int number = 0;
    ar(number);
    construct(number);
  }
  int code;
};

/// Twice is once.
inline const bool fields_registered = procpool::register_exception<FieldError>() &&
                                      procpool::register_exception<FieldError>() &&
                                      procpool::register_exception<ConstructedError>();

inline void throw_three() {
  try {
    try {
      throw std::invalid_argument("inner");
    } catch (...) {
      std::throw_with_nested(FieldError("middle", 1, {}));
    }
  } catch (...) {
    std::throw_with_nested(std::runtime_error("outer"));
  }
}

inline std::vector<std::string> texts_of_chain(const std::exception_ptr& error) {
  std::vector<std::string> texts;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& link) {
    texts.emplace_back(link.what());
    const auto* nested = dynamic_cast<const std::nested_exception*>(&link);
    if (nested != nullptr && nested->nested_ptr() != nullptr)
      for (std::string& text : texts_of_chain(nested->nested_ptr())) texts.push_back(text);
  }
  return texts;
}

}  // namespace wire_test
