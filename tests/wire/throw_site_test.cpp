// What is known of where an exception was thrown.
#include "wire/throw_site.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "wire/exception_codec.hpp"

namespace throw_site_test {

using namespace procpool;

template <class F>
std::string text_of(F function) {
  try {
    function();
  } catch (const wire::ThrowSite&) {
    return "caught";
  } catch (...) {
    return wire::traceback_text(
        wire::record_current_exception({.task_name = "f", .frames = wire::throw_site()}));
  }
  return {};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr int line_of_throw = __LINE__ + 2;
[[gnu::noinline]] void thrower(int number) {
  if (number > 0) throw number;
}

[[gnu::noinline]] void caller(int number) {
  thrower(number);
  asm volatile("");
}

std::string place(int line) { return "throw_site_test.cpp:" + std::to_string(line); }

TEST(Conformance, P_ERR_02_TheTraceBeginsWhereItWasThrown) {
  const std::string text = text_of([] { caller(1); });
  EXPECT_TRUE(text.starts_with("throw_site_test::thrower(int) at ")) << text;
  EXPECT_TRUE(has(text, place(line_of_throw) + "\nthrow_site_test::caller(int) at ")) << text;
}

TEST(Conformance, P_ERR_02_TheTraceOfTheStandardLibrarysExceptionsIsKnown) {
  const std::string text = text_of([] {
    const std::vector<int> none;
    static_cast<void>(none.at(7));
  });
  EXPECT_FALSE(has(text, "__cxa_throw")) << text;
  EXPECT_FALSE(has(text, "__throw_out_of_range")) << text;
  EXPECT_TRUE(has(text, "throw_site_test.cpp:")) << text;
}

TEST(Conformance, P_ERR_02_OfWhatIsCaughtFurtherInNothingIsNoted) {
  static_cast<void>(text_of([] { caller(1); }));
  const auto before = wire::throw_site().size();
  EXPECT_EQ(text_of([] {
              try {
                caller(2);
              } catch (int) {
              }
            }),
            "");
  EXPECT_EQ(wire::throw_site().size(), before);
}

TEST(Conformance, P_ERR_02_WhatIsThrownAgainShowsWhereThatWas) {
  const std::string text = text_of([] {
    try {
      caller(1);
    } catch (...) {
      throw;
    }
  });
  EXPECT_FALSE(has(text, "thrower")) << text;
  EXPECT_TRUE(has(text, "throw_site_test.cpp:")) << text;
}

TEST(Conformance, P_ERR_02_EachThreadHasItsOwn) {
  static_cast<void>(text_of([] { caller(1); }));
  const auto before = wire::throw_site().size();
  std::thread([] { EXPECT_EQ(wire::throw_site().size(), 0U); }).join();
  EXPECT_EQ(wire::throw_site().size(), before);
}

}  // namespace throw_site_test
