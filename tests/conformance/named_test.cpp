// Tasks by name: in the program itself, in another program, in a module.
#include <array>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "conformance/conformance.hpp"
#include "conformance/named_places.hpp"

namespace procpool::test {
namespace {

TEST_P(Named, runs_in_a_worker) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(task<int(int, int)>("add"), 2, 3), 5);
  EXPECT_EQ(pool.submit(task<int()>("own_process")).get(), pool.pids().front());
}

TEST_P(Named, every_submission_call_takes_it) {
  const Pool pool = make_pool(2);
  const auto add = task<int(int, int)>("add");
  const std::vector sums{11, 22, 33};
  EXPECT_EQ(pool.map(add, std::vector{1, 2, 3}, std::vector{10, 20, 30}), sums);
  EXPECT_EQ(pool.map_async(add, std::vector{1, 2, 3}, std::vector{10, 20, 30}).get(), sums);
  EXPECT_EQ(pool.starmap(add, std::vector<std::pair<int, int>>{{1, 10}, {2, 20}, {3, 30}}), sums);
  std::vector<int> squares;
  for (const long x : pool.imap(task<long(long)>("negate"), std::vector<long>{1, 2, 3}))
    squares.push_back(static_cast<int>(x));
  EXPECT_EQ(squares, (std::vector{-1, -2, -3}));
}

TEST_P(Named, chunks_of_a_map_share_what_is_bound) {
  const Pool pool = make_pool(2);
  const auto add = task<int(int, int)>("add");
  std::vector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto sums = pool.map(partial(add, 100), numbers, {.chunksize = 64});
  ASSERT_EQ(sums.size(), 1000U);
  for (int i = 0; i != 1000; ++i) EXPECT_EQ(sums[static_cast<std::size_t>(i)], 100 + i);
  // A view that is bound is seen in place, by each element again.
  const auto scaled = partial(task<double(std::span<const double>, double)>("scaled_sum"),
                              std::vector{0.5, 1.5});
  EXPECT_EQ(pool.map(scaled, {1.0, 2.0, 3.0}, {.chunksize = 3}), (std::vector{2.0, 4.0, 6.0}));
}

TEST_P(Named, partial_binds_all_or_step_by_step) {
  const Pool pool = make_pool(1);
  const auto join = task<std::string(std::string, std::span<const std::string>)>("join");
  const std::vector<std::string> words{"a", "b"};
  EXPECT_EQ(pool.apply(partial(join, "-", words)), "a-b");
  EXPECT_EQ(pool.apply(partial(partial(join, "-"), words)), "a-b");
  EXPECT_EQ(pool.apply(partial(partial(join), "+"), words), "a+b");
}

// What is given is made what the signature says, as in a call of a function.
TEST_P(Named, arguments_are_converted) {
  const Pool pool = make_pool(1);
  const auto add = task<int(int, int)>("add");
  EXPECT_EQ(pool.apply(add, short{2}, 'a'), 99);
  EXPECT_EQ(pool.map(add, std::vector<std::int8_t>{1}, std::array<long, 1>{2}), std::vector{3});
  EXPECT_EQ(pool.apply(partial(add, short{2}), 3L), 5);
  const auto length = task<std::size_t(std::string)>("length");
  EXPECT_EQ(pool.apply(length, "four"), 4U);
  EXPECT_EQ(pool.apply(length, std::string_view("seven..")), 7U);
  const std::string text = "by reference";
  EXPECT_EQ(pool.apply(length, std::ref(text)), text.size());
  const auto sum = task<double(std::span<const double>)>("sum");
  EXPECT_EQ(pool.apply(sum, std::vector{1.0, 2.0}), 3.0);
  EXPECT_EQ(pool.apply(sum, std::array{1.0, 2.0, 4.0}), 7.0);
}

// The same signature by other words.
TEST_P(Named, what_decodes_alike_matches) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(task<unsigned long long(std::string_view)>("length"), "four"), 4U);
  EXPECT_EQ(pool.apply(task<std::size_t(const char*)>("length"), "four"), 4U);
  EXPECT_EQ(pool.apply(task<std::string(const std::string&)>("first_word"), "one two"), "one");
  EXPECT_EQ(pool.apply(task<int(const int&, int&&)>("add"), 1, 2), 3);
  EXPECT_EQ(pool.apply(task<double(std::span<const double, 2>)>("sum"), std::array{1.0, 2.0}), 3.0);
  EXPECT_EQ(pool.apply(task<std::string(std::string_view, std::vector<std::string>)>("join"), ", ",
                       std::vector<std::string>{"x", "y"}),
            "x, y");
}

TEST_P(Named, own_types_cross) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(task<Point(Point, Point)>("shift"), Point{1, 2}, Point{3, 4}), (Point{4, 6}));
  EXPECT_EQ(pool.apply(task<Colour(Colour)>("turn"), Colour::red), Colour::green);
  EXPECT_EQ(pool.apply(task<int(std::unique_ptr<int>)>("take"), std::make_unique<int>(5)), 5);
}

TEST_P(Named, a_registered_exception_comes_home_as_itself) {
  const Pool pool = make_pool(1);
  const auto reject = task<void(std::string, int)>("reject");
  try {
    pool.apply(reject, "no room", 7);
    ADD_FAILURE();
  } catch (const Rejected& error) {
    EXPECT_STREQ(error.what(), "no room");
    EXPECT_EQ(error.code(), 7);
    EXPECT_TRUE(contains(trace(error), reject.name())) << trace(error);
  }
  // Every element of a chunk, each entering the task anew.
  auto results = pool.imap(partial(reject, "again"), {1, 2, 3}, {.chunksize = 3});
  int rejected = 0;
  for (auto it = results.begin(); it != results.end(); ++it) {
    EXPECT_THROW(*it, Rejected);
    ++rejected;
  }
  EXPECT_EQ(rejected, 3);
}

TEST_P(Named, a_crash_names_the_task) {
  const Pool pool = make_pool(1);
  const auto die = task<void()>("die");
  const auto text = error_of<WorkerCrashed>([&] { pool.apply(die); });
  EXPECT_TRUE(contains(text, "while it ran " + die.name() + " ")) << text;
  EXPECT_EQ(pool.apply(task<int(int, int)>("add"), 1, 1), 2);
}

TEST_P(Named, an_unknown_name_is_told_with_near_ones) {
  const Pool pool = make_pool(1);
  const auto pids = pool.pids();
  const auto text = error_of<UnknownTask>([&] { pool.apply(task<int(int)>("lenght"), 1); });
  const std::string& prefix = GetParam().prefix;
  EXPECT_TRUE(contains(text, "no task named \"" + prefix + "lenght\"")) << text;
  EXPECT_TRUE(contains(text, "Did you mean \"" + prefix + "length\"")) << text;
  EXPECT_TRUE(contains(text, prefix + "shift procpool::test::Point{int, int}(")) << text;
  const auto far = error_of<UnknownTask>([&] { pool.apply(remote<void()>("nothing_like_these")); });
  EXPECT_FALSE(contains(far, "Did you mean")) << far;
  EXPECT_TRUE(contains(far, "It exports ")) << far;
  EXPECT_THROW(pool.map(task<int(int)>("ad"), {1, 2, 3}), UnknownTask);
  EXPECT_EQ(pool.pids(), pids);
}

TEST_P(Named, another_signature_is_told_with_both) {
  const Pool pool = make_pool(1);
  const auto text = error_of<UnknownTask>(
      [&] { pool.apply(task<int(std::vector<int>, Colour)>("add"), std::vector{1}, Colour::red); });
  EXPECT_TRUE(contains(text, "called as int(std::vector<int>, procpool::test::Colour:unsigned char)"))
      << text;
  EXPECT_TRUE(contains(text, "exports it as int(int, int)")) << text;
  EXPECT_THROW(pool.apply(task<int(int)>("add"), 1), UnknownTask);
  EXPECT_THROW(pool.apply(task<long(int, int)>("add"), 1, 2), UnknownTask);
  EXPECT_THROW(pool.apply(task<void(int, int)>("add"), 1, 2), UnknownTask);
  // Seen in place is another way to cross than decoded.
  EXPECT_THROW(pool.apply(task<double(std::vector<double>)>("sum"), std::vector{1.0}), UnknownTask);
}

}  // namespace
}  // namespace procpool::test
