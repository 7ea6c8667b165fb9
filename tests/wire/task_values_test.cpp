// Every kind of argument and of result, from bytes to bytes.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <procpool/errors.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "in_memory_task.hpp"
#include "sample_types.hpp"

namespace {

using wire_test::aligned;
using wire_test::in_place;
using wire_test::run;

int live = 0;
struct Tracked {
  Tracked() { ++live; }
  Tracked(const Tracked&) { ++live; }
  ~Tracked() { --live; }
  template <class A>
  void serialize(A&) {}
};

TEST(TaskArguments, TextBecomesAString) {
  EXPECT_EQ(run([](std::string text) { return text + "!"; }, "abc"), "abc!");
  EXPECT_EQ(run([](const char* text) { return std::string(text); }, "abc"), "abc");
  char changeable[] = "xyz";
  EXPECT_EQ(run([](auto text) { return text.size(); }, changeable), 3U);
  const char* null = nullptr;
  EXPECT_THROW(run([](std::string text) { return text; }, null), procpool::EncodingError);
}

TEST(TaskArguments, AStringViewIsSeenInPlace) {
  const auto seen = [](int, std::string_view text) { return text == "long" && in_place(text.data()); };
  EXPECT_TRUE(run(seen, 1, std::string_view("long")));
  EXPECT_TRUE(run(seen, 1, std::string("long")));
  EXPECT_TRUE(run(seen, 1, "long"));
}

TEST(TaskArguments, ASpanIsSeenInPlaceAndAligned) {
  const auto seen = [](std::string before, std::span<const double> numbers, int after) {
    return before == "abc" && numbers.size() == 3 && numbers[2] == 3 && after == 9 &&
           in_place(numbers.data()) && aligned(numbers.data(), alignof(double));
  };
  std::vector<double> numbers{1, 2, 3};
  EXPECT_TRUE(run(seen, "abc", numbers, 9));
  EXPECT_TRUE(run(seen, "abc", std::span(numbers), 9));
  EXPECT_TRUE(run(seen, "abc", std::span<const double, 3>(numbers), 9));
}

TEST(TaskArguments, SpansOfStructsAndOfStrings) {
  const std::vector<user::Point> points{{1, 2}, {3, 4}};
  const auto last = [](std::span<const user::Point> all) { return in_place(&all[1]) ? all[1].y : 0; };
  EXPECT_EQ(run(last, points), 4);
  const std::vector<std::string> words{"a", "bc"};
  const auto length = [](std::span<const std::string> all) { return all[0].size() + all[1].size(); };
  EXPECT_EQ(run(length, std::span(words)), 3U);
  EXPECT_EQ(run(length, words), 3U);
}

TEST(TaskArguments, WhatCrossesAsSomethingElse) {
  std::map<std::string, int> ages{{"eve", 30}};
  EXPECT_EQ(run([](const std::pair<std::string, int>& p) { return p.second; }, *ages.begin()), 30);
  EXPECT_EQ(run([](const std::pair<const std::string, int>& p) { return p.first; }, *ages.begin()),
            "eve");
  std::string text = "here";
  EXPECT_EQ(run([](std::string given) { return given; }, std::ref(text)), "here");
  EXPECT_EQ(run([](std::string given) { return given; }, std::cref(text)), "here");
}

TEST(TaskArguments, TheCallableGetsRvalues) {
  const auto owner = std::make_unique<int>(5);
  EXPECT_EQ(run([](std::unique_ptr<int> given) { return *given; }, owner), 5);
  EXPECT_EQ(run([](std::unique_ptr<int>&& given) { return *given; }, owner), 5);
  EXPECT_EQ(run([](const std::unique_ptr<int>& given) { return *given; }, owner), 5);
  static_assert(!procpool::task<void (*)(std::string&), std::string>);
}

TEST(TaskArguments, LeftOverBytesAreRefused) {
  auto bytes = wire_test::call_bytes([](int x) { return x; }, 1);
  bytes.push_back(std::byte{});
  using Call = procpool::detail::Call<int (*)(int), int>;
  auto call = wire_test::call_bytes(+[](int x) { return x; }, 1);
  call.push_back(std::byte{});
  wire_test::InMemory invocation(call);
  EXPECT_THROW(Call::descriptor().thunk(invocation), procpool::DecodingError);
  EXPECT_TRUE(invocation.results.empty());
}

TEST(TaskArguments, AreGoneWhenTheElementIsCommitted) {
  const auto one = wire_test::bytes_of([](auto& out) { procpool::detail::encode(out, Tracked()); });
  const auto f = [](Tracked given) { return given; };
  wire_test::InMemory chunk(wire_test::callable_bytes(f), {one, one});
  static int at_commit = 0;
  chunk.on_commit = [] { at_commit += live; };
  procpool::detail::Call<decltype(f), Tracked>::descriptor().thunk(chunk);
  EXPECT_EQ(chunk.results.size(), 2U);
  EXPECT_EQ(at_commit, 0);
}

TEST(TaskArguments, AnExceptionLeavesTheThunkBeforeTheCommit) {
  const auto element = [](int x) {
    return wire_test::bytes_of([x](auto& out) { procpool::detail::encode(out, x); });
  };
  const auto f = [](int x) { return x == 2 ? throw std::out_of_range("two") : x; };
  wire_test::InMemory chunk(wire_test::callable_bytes(f), {element(1), element(2), element(3)});
  EXPECT_THROW((procpool::detail::Call<decltype(f), int>::descriptor().thunk(chunk)),
               std::out_of_range);
  EXPECT_EQ(chunk.results.size(), 1U);
}

template <class R, class F>
constexpr bool returns = std::is_same_v<R, procpool::task_result_t<F>>;

TEST(TaskResults, EveryRule) {
  static const std::string text = "static";
  static int number = 4;
  const auto view = [] { return std::string_view("seen"); };
  const auto literal = [] { return "literal"; };
  const auto span = [] { return std::span(&number, 1); };
  const auto words = [] { return std::span<const std::string>(&text, 1); };
  const auto reference = []() -> const std::string& { return text; };
  const auto changeable = []() -> int& { return number; };
  const auto rvalue = []() -> std::string&& { return std::move(const_cast<std::string&>(text)); };
  static_assert(returns<std::string, decltype(view)> && returns<std::string, decltype(literal)>);
  static_assert(returns<std::vector<int>, decltype(span)> && returns<int, decltype(changeable)>);
  static_assert(returns<std::string, decltype(reference)> && returns<std::string, decltype(rvalue)>);
  EXPECT_EQ(run(view), "seen");
  EXPECT_EQ(run(literal), "literal");
  EXPECT_EQ(run(span), std::vector{4});
  EXPECT_EQ(run(words), std::vector<std::string>{"static"});
  EXPECT_EQ(run(reference), "static");
  EXPECT_EQ(run(changeable), 4);
  EXPECT_EQ(run(rvalue), "static");
}

TEST(TaskResults, VoidMoveOnlyAndStructs) {
  static int ran = 0;
  run([] { ++ran; });
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(*run([] { return std::make_unique<int>(3); }), 3);
  EXPECT_EQ(run([] { return user::Point{1, 2}; }), (user::Point{1, 2}));
  EXPECT_EQ(run([] { return user::everything(); }), user::everything());
}

TEST(TaskResults, ANullTextIsAnEncodingError) {
  const auto f = []() -> const char* { return nullptr; };
  EXPECT_THROW(run(f), procpool::EncodingError);
}

TEST(TaskResults, WhatIsRefusedIsNoTask) {
  static_assert(!procpool::task<int* (*)()>);
  static_assert(!procpool::task<int (*)(int), std::string>);
  static_assert(!procpool::task<int (*)(const int*), int*>);
  static_assert(!procpool::task<int, int>);
  static_assert(procpool::shippable<std::string> && procpool::shippable<const int>);
  static_assert(!procpool::shippable<int*> && !procpool::shippable<user::WithPointer>);
  SUCCEED();
}

}  // namespace
