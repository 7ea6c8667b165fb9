// Every kind of callable, from bytes to bytes.
#include <gtest/gtest.h>

#include <memory>
#include <procpool/errors.hpp>
#include <string>

#include "in_memory_task.hpp"

namespace {

using procpool::partial;
using wire_test::name_of;
using wire_test::run;

int square(int x) { return x * x; }
int cube(int x) noexcept { return x * x * x; }
std::string repeat(const std::string& text, int times) {
  std::string whole;
  for (int i = 0; i != times; ++i) whole += text;
  return whole;
}

struct Counter {
  int value = 0;
  int room = 0;  // g++ 12 -O2 warns that a smaller object has no room for a vtable
  int plus(int x) const { return value + x; }
  int bumped() { return ++value; }
  int taken() && { return std::exchange(value, 0); }
  int seen() const& { return value; }
  int locked() & { return value; }
  static int twice(int x) { return 2 * x; }
};

struct Shape {
  virtual ~Shape() = default;
  virtual int corners() const { return 0; }
  template <class A>
  void serialize(A&) {}
};
struct Triangle : Shape {
  int corners() const override { return 3; }
};

struct Base {
  int unused = 0;
};
struct Second {
  int number = 7;
  int get() const { return number; }
};
struct Both : Base, Second {
  template <class A>
  void serialize(A& ar) {
    ar(unused, number);
  }
};

struct Scale {
  double by = 1;
  double operator()(double x) const { return by * x; }
};
struct Calls {
  int calls = 0;
  int operator()(int) { return ++calls; }
};

TEST(TaskCallables, Functions) {
  EXPECT_EQ(run(square, 5), 25);
  EXPECT_EQ(run(&cube, 3), 27);
  EXPECT_EQ(run(&Counter::twice, 4), 8);
  EXPECT_EQ(run(repeat, "ab", 2), "abab");
}

TEST(TaskCallables, Members) {
  EXPECT_EQ(run(&Counter::plus, Counter{40}, 2), 42);
  EXPECT_EQ(run(&Counter::bumped, Counter{1}), 2);
  EXPECT_EQ(run(&Counter::taken, Counter{3}), 3);
  EXPECT_EQ(run(&Counter::seen, Counter{4}), 4);
  EXPECT_EQ(run(&Counter::value, Counter{5}), 5);
  EXPECT_EQ(run(&Counter::plus, std::make_unique<Counter>(Counter{1}), 1), 2);
  static_assert(!procpool::task<decltype(&Counter::locked), Counter>);
}

TEST(TaskCallables, AVirtualMemberRunsTheObjectsOwn) {
  EXPECT_EQ(run(&Shape::corners, Triangle()), 3);
  EXPECT_EQ(run(&Shape::corners, Shape()), 0);
}

TEST(TaskCallables, AMemberOfASecondBaseFindsItsPart) {
  int (Both::*get)() const = &Second::get;
  EXPECT_EQ(run(get, Both()), 7);
}

TEST(TaskCallables, Lambdas) {
  EXPECT_EQ(run([](int x) { return x + 1; }, 1), 2);
  EXPECT_EQ(run([](auto x) { return x + x; }, std::string("ab")), "abab");
  EXPECT_EQ(run([](auto x) { return x + x; }, 1.5), 3);
  EXPECT_EQ(run([](int x) mutable noexcept { return ++x; }, 1), 2);
}

TEST(TaskCallables, Functors) {
  EXPECT_EQ(run(Scale{2.5}, 4), 10);
  EXPECT_EQ(run(std::plus<>(), 1, 2), 3);
}

TEST(TaskCallables, AFunctorIsMadeOncePerChunk) {
  const auto one = wire_test::bytes_of([](auto& out) { procpool::detail::encode(out, 1); });
  wire_test::InMemory chunk(wire_test::callable_bytes(Calls{10}), {one, one, one});
  procpool::detail::Call<Calls, int>::descriptor().thunk(chunk);
  ASSERT_EQ(chunk.results.size(), 3U);
  procpool::detail::SpanIn last(chunk.results[2]);
  EXPECT_EQ(procpool::detail::load_result<int>(last), 13);
}

TEST(TaskCallables, Partials) {
  EXPECT_EQ(run(partial(repeat, "xy"), 3), "xyxyxy");
  EXPECT_EQ(run(partial(partial(repeat, std::string_view("z")), 2)), "zz");
  EXPECT_EQ(run(partial(square), 3), 9);
  EXPECT_EQ(run(partial(&Counter::plus, Counter{1}), 2), 3);
  EXPECT_EQ(run(partial(Scale{3}, 2.0)), 6);
  EXPECT_EQ(run(partial([](int a, int b) { return a - b; }, 5), 3), 2);
}

TEST(TaskCallables, APartialCanBindAPartialOfAFunction) {
  const auto call = [](const auto& f, int x) { return f(x); };
  EXPECT_EQ(run(partial(call, partial(square)), 4), 16);
}

TEST(TaskCallables, APartialIsCalledAtHomeToo) {
  int x = 2;
  EXPECT_EQ(partial(square, std::ref(x))(), 4);
  EXPECT_EQ(partial(partial(repeat, "ab"), 2)(), "abab");
}

TEST(TaskCallables, NamesForMessages) {
  EXPECT_EQ(name_of(&square), "square(int)");
  EXPECT_EQ(name_of(&cube), "cube(int)");
  EXPECT_EQ(name_of(&repeat), "repeat(std::string const&, int)");
  EXPECT_EQ(name_of(&Counter::plus), "Counter::plus(int) const");
  EXPECT_EQ(name_of(&Counter::twice), "Counter::twice(int)");
  EXPECT_EQ(name_of(partial(square, 1)), "partial(square(int))");
  EXPECT_EQ(name_of(partial(partial(repeat, "a"), 1)),
            "partial(partial(repeat(std::string const&, int)))");
  EXPECT_EQ(name_of(Scale{}), "Scale");
  EXPECT_NE(name_of([](int x) { return x; }).find("lambda("), std::string::npos);
}

TEST(TaskCallables, NamesFromAnyBytes) {
  const auto& descriptor = procpool::detail::Call<int (*)(int), int>::descriptor();
  wire_test::Bytes bytes;
  for (int size = 0; size != 40; ++size) {
    EXPECT_EQ(descriptor.name(bytes).find("(int)") == std::string::npos, false) << size;
    bytes.push_back(std::byte{0xa5});
  }
}

TEST(TaskCallables, NullIsRefused) {
  int (*none)(int) = nullptr;
  int (Counter::*no_member)(int) const = nullptr;
  int Counter::*no_data = nullptr;
  EXPECT_THROW(wire_test::callable_bytes(none), procpool::Misuse);
  EXPECT_THROW(wire_test::callable_bytes(no_member), procpool::Misuse);
  EXPECT_THROW(wire_test::callable_bytes(no_data), procpool::Misuse);
}

}  // namespace
