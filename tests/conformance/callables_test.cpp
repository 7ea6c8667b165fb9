// What travels: callables, sentence by sentence.
#include <functional>
#include <memory>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

int cube(int x) noexcept { return x * x * x; }
std::string repeat(const std::string& text, int times) {
  std::string whole;
  for (int i = 0; i != times; ++i) whole += text;
  return whole;
}

struct Counter {
  int value = 0;
  int plus(int x) const { return value + x; }
  int less(int x) const noexcept { return value - x; }
  int bumped() { return ++value; }
  int taken() && { return std::exchange(value, 0); }
  int locked() & { return value; }
  static int twice(int x) { return 2 * x; }
  static int half(int x) noexcept { return x / 2; }
};

TEST_P(Conformance, TRAVEL_functions_and_static_members_noexcept_too) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(square, 3), 9);
  EXPECT_EQ(pool.apply(&square, 3), 9);
  EXPECT_EQ(pool.apply(cube, 3), 27);
  EXPECT_EQ(pool.apply(Counter::twice, 21), 42);
  EXPECT_EQ(pool.apply(Counter::half, 21), 10);
  EXPECT_EQ(pool.map(cube, {1, 2, 3}), (std::vector{1, 8, 27}));
}

TEST_P(Conformance, TRAVEL_pointers_to_members) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(&Counter::plus, Counter{40}, 2), 42);
  EXPECT_EQ(pool.apply(&Counter::less, Counter{44}, 2), 42);
  EXPECT_EQ(pool.apply(&Counter::bumped, Counter{1}), 2);
  EXPECT_EQ(pool.apply(&Counter::taken, Counter{3}), 3);
  EXPECT_EQ(pool.apply(&Counter::value, Counter{5}), 5);
  EXPECT_EQ(pool.apply(&Counter::plus, std::make_unique<Counter>(Counter{1}), 1), 2);
  EXPECT_EQ(pool.map(&Counter::value, {Counter{1}, Counter{2}}), (std::vector{1, 2}));
  static_assert(!task<decltype(&Counter::locked), Counter>);
}

TEST_P(Conformance, TRAVEL_captureless_lambdas_generic_too) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply([](int x) { return x + 1; }, 1), 2);
  EXPECT_EQ(pool.apply([](auto x) { return x + x; }, "ab"), "abab");
  EXPECT_EQ(pool.apply([](auto x) { return x + x; }, 1.5), 3.0);
  EXPECT_EQ(pool.apply([](int x) mutable noexcept { return ++x; }, 1), 2);
  const auto capturing = [number = 1](int x) { return x + number; };
  static_assert(!task<decltype(capturing), int>);
}

struct Scale {
  double by = 1;
  double operator()(double x) const { return by * x; }
};
struct Calls {
  int calls = 0;
  int operator()(int) { return ++calls; }
};
struct NoDefault {
  explicit NoDefault(int) {}
  int operator()(int x) const { return x; }
};

TEST_P(Conformance, TRAVEL_functors_that_keep_no_state) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(std::plus<>(), 1, 2), 3);
  EXPECT_EQ(pool.apply(Scale{2.5}, 4), 10.0);
  EXPECT_EQ(pool.map(Scale{2}, {1.0, 2.0}), (std::vector{2.0, 4.0}));
  Calls calls{10};
  for (int i = 0; i != 3; ++i) EXPECT_EQ(pool.apply(calls, 0), 11);
  EXPECT_EQ(pool.map(calls, {0, 0, 0, 0}, {.chunksize = 2}), (std::vector{11, 12, 11, 12}));
  EXPECT_EQ(calls.calls, 10);
  static_assert(!task<NoDefault, int> && !task<std::function<int(int)>, int>);
}

TEST_P(Conformance, TRAVEL_partial) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(partial(repeat, "xy"), 3), "xyxyxy");
  EXPECT_EQ(pool.apply(partial(partial(repeat, std::string_view("z")), 2)), "zz");
  EXPECT_EQ(pool.apply(partial(&Counter::plus, Counter{1}), 2), 3);
  EXPECT_EQ(pool.apply(partial(Scale{3}, 2.0)), 6.0);
  EXPECT_EQ(pool.map(partial([](int a, int b) { return a - b; }, 5), {1, 2}), (std::vector{4, 3}));
  EXPECT_EQ(pool.apply([](const auto& f, int x) { return f(x); }, partial(square), 4), 16);
}

}  // namespace
}  // namespace procpool::test
