// Futures as arguments of other tasks.
#include <map>
#include <memory>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

int add(int a, int b) { return a + b; }
std::string join(const std::string& a, int x, std::string_view b, const std::string& c) {
  return a + std::to_string(x) + std::string(b) + c;
}
std::string text(std::size_t length, char letter) { return std::string(length, letter); }
std::size_t length(std::string_view text) { return text.size(); }

TEST_P(Conformance, P_FUT_09_a_future_is_an_argument_as_its_value) {
  const Pool pool = make_pool(2);
  const auto two = pool.submit(square, 1), four = pool.submit(square, 2);
  static_assert(std::is_same_v<task_result_t<decltype(&add), Future<int>&, int>, int>);
  static_assert(task<decltype(&add), const Future<int>&, Future<int>>);
  EXPECT_EQ(pool.apply(add, two, four), 5);
  EXPECT_EQ(pool.apply(add, two, 7), 8);
  EXPECT_EQ(pool.apply(add, 7, pool.submit(square, 3)), 16);
  EXPECT_EQ(pool.apply(add, std::ref(two), std::cref(four)), 5);
  EXPECT_EQ(pool.apply(partial(add, 10), four), 14);
  EXPECT_EQ(pool.apply([](auto x, const auto& y) { return x * y; }, four, 5), 20);
  EXPECT_EQ(two.get(), 1);
}

TEST_P(Conformance, P_FUT_09_it_waits_for_what_is_not_done) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto slow = pool.submit(wait_at, gate.path(), 3);
  const auto first = pool.submit(add, slow, pool.submit(square, 2));
  auto last = first;
  for (int i = 0; i != 500; ++i) last = pool.submit(add, last, 1);
  EXPECT_FALSE(first.ready());
  EXPECT_EQ(pool.apply(square, 5), 25);  // nobody is held up
  gate.open();
  EXPECT_EQ(last.get(), 507);
  EXPECT_EQ(first.get(), 7);
}

// What stands before and after a future, of any size, arrives as it was.
TEST_P(Conformance, P_FUT_09_arguments_around_it_keep_their_bytes) {
  const Pool pool = make_pool(2);
  const auto sum = [](std::vector<double> a, std::span<const double> b, std::string_view c,
                      std::span<const double> d, double e) {
    double all = static_cast<double>(c.size()) + e;
    for (const auto x : a) all += x;
    for (const auto x : b) all += x;
    for (const auto x : d) all += x;
    return all;
  };
  const std::vector<double> b{1, 2}, d{4, 8, 16};
  for (const std::size_t size : {0U, 1U, 7U, 60U, 5000U, 3'000'000U}) {
    const auto c = pool.submit(text, size, 'c');
    const auto a = pool.submit([] { return std::vector<double>{32, 64}; });
    EXPECT_EQ(pool.apply(sum, a, b, c, d, 128.0), 255.0 + static_cast<double>(size));
    EXPECT_EQ(pool.apply(join, c, 1, pool.submit(text, size, 'd'), "end"),
              std::string(size, 'c') + "1" + std::string(size, 'd') + "end");
  }
}

TEST_P(Conformance, P_FUT_09_a_large_value_passes_while_it_is_waited_for) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  const auto large = pool.submit(
      [](const std::string& path) {
        pass_gate(path);
        return std::string(20'000'000, 'x');
      },
      gate.path());
  const auto size = pool.submit(length, large);
  gate.open();
  EXPECT_EQ(size.get(), 20'000'000U);
}

struct Counted {  // counts what is decoded in this process
  static inline int decoded = 0;
  int x = 0;
  template <class A>
  void save(A& ar) const {
    ar(x);
  }
  template <class A>
  void load(A& ar) {
    ar(x);
    ++decoded;
  }
};
Counted counted(int x) { return {x}; }
int value_of(const Counted& c) { return c.x; }

TEST_P(Conformance, P_FUT_09_nothing_is_decoded_on_the_way) {
  const Pool pool = make_pool(2);
  Counted::decoded = 0;
  EXPECT_EQ(pool.apply(value_of, pool.submit(counted, 6)), 6);
  const auto all = pool.map_async(counted, {1, 2, 3});
  EXPECT_EQ(pool.apply([](const std::vector<Counted>& c) { return c.at(2).x; }, all), 3);
  EXPECT_EQ(Counted::decoded, 0);
  EXPECT_EQ(all.get()[2].x, 3);
  EXPECT_EQ(Counted::decoded, 3);
}

std::unique_ptr<int> boxed(int x) { return std::make_unique<int>(x); }

TEST_P(Conformance, P_FUT_09_a_value_that_was_moved_out_at_home_still_passes) {
  const Pool pool = make_pool(1);
  auto box = pool.submit(boxed, 4);
  const auto sum = pool.submit([](std::unique_ptr<int> b, int x) { return *b + x; }, box, 1);
  EXPECT_EQ(*std::move(box).get(), 4);
  EXPECT_EQ(sum.get(), 5);
}

std::size_t count(const std::vector<std::string>& words) { return words.size(); }
int total(std::span<const int> numbers) {
  int sum = 0;
  for (const int x : numbers) sum += x;
  return sum;
}

TEST_P(Conformance, P_FUT_09_maps_and_gathered_futures_are_arguments) {
  const Pool pool = make_pool(2);
  const auto squares = pool.map_async(square, first_numbers(1000), {.chunksize = 7});
  EXPECT_EQ(pool.apply(total, squares), 332'833'500);
  EXPECT_EQ(pool.apply(total, pool.map_async(square, std::vector<int>())), 0);
  const auto words = pool.starmap_async(
      text, std::vector<std::pair<std::size_t, char>>{{0, 'a'}, {3, 'b'}, {9000, 'c'}});
  EXPECT_EQ(pool.apply(count, words), 3U);
  const auto odd = pool.map_async([](int x) { return x % 2 != 0; }, {1, 2, 3});
  EXPECT_EQ(pool.apply([](const std::vector<bool>& b) { return b == std::vector{true, false, true}; },
                       odd), true);
  const auto both = gather(squares, words, pool.submit(mark, file("marks")), gather(odd));
  using Both = std::tuple<std::vector<int>, std::vector<std::string>, std::monostate,
                          std::tuple<std::vector<bool>>>;
  const auto check = [](const Both& all) {
    return total(std::get<0>(all)) + static_cast<int>(count(std::get<1>(all)));
  };
  EXPECT_EQ(pool.apply(check, both), 332'833'503);
  EXPECT_EQ(std::get<0>(both.get()).size(), 1000U);
  EXPECT_EQ(pool.apply(check, both), 332'833'503);  // also after it was looked at
  const std::vector futures{pool.submit(square, 1), pool.submit(square, 2)};
  EXPECT_EQ(pool.apply(total, gather(futures)), 5);
}

}  // namespace
}  // namespace procpool::test
