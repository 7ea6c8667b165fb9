// What a process is, and what waits until it knows.
#include "os/role.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "os_support.hpp"

namespace {

using namespace procpool;
using test::holds_in_child;
using test::require;

TEST(OsRole, WhatWaitsForInitRunsThenAndWhatComesLaterAtOnce) {
  EXPECT_TRUE(holds_in_child([] {
    std::string order;
    os::at_init([&] { order += '1'; });
    os::at_init([&] { order += '2'; });
    require(order.empty() && !os::initialised(), "not yet");
    os::set_initialised();
    require(order == "12" && os::initialised(), "in order");
    os::at_init([&] { order += '3'; });
    require(order == "123", "at once");
  }));
}

TEST(OsRole, OneThatFailsAtInitKeepsNoOtherFromRunning) {
  EXPECT_TRUE(holds_in_child([] {
    int ran = 0;
    os::at_init([&] { ++ran; });
    os::at_init([] { throw std::runtime_error("first"); });
    os::at_init([&] { ++ran; });
    os::at_init([] { throw std::runtime_error("second"); });
    os::at_init([&] { ++ran; });
    std::string error;
    try {
      os::set_initialised();
    } catch (const std::runtime_error& thrown) {
      error = thrown.what();
    }
    require(ran == 3, "all others ran");
    require(error == "first", "the first error");
    require(os::initialised(), "it is initialised all the same");
  }));
}

}  // namespace
