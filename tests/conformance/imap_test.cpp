// imap and imap_unordered: lazy on both sides.
#include <algorithm>
#include <iterator>
#include <set>
#include <thread>
#include <utility>

#include "conformance/conformance.hpp"
#include "conformance/counted_range.hpp"

namespace procpool::test {
namespace {

template <class Stream>
std::vector<int> rest_of(Stream&& stream) {
  std::vector<int> all;
  while (const auto x = stream.next()) all.push_back(*x);
  return all;
}

static_assert(!std::is_copy_constructible_v<Results<int>>);
static_assert(std::is_nothrow_move_constructible_v<Results<int>>);
static_assert(std::input_iterator<Results<int>::iterator>);

TEST_P(Conformance, P_IMAP_01_order_and_end) {
  const Pool pool = make_pool(3);
  std::vector<int> expected = first_numbers(1000);
  for (int& x : expected) x *= x;
  for (const int chunksize : {0, 1, 7, 100}) {
    const MapOptions options{.chunksize = chunksize};
    EXPECT_EQ(rest_of(pool.imap(square, first_numbers(1000), options)), expected);
    auto unordered = rest_of(pool.imap_unordered(square, first_numbers(1000), options));
    std::ranges::sort(unordered);
    EXPECT_EQ(unordered, expected);
  }
  std::vector<int> looped;
  for (const int x : pool.imap(square, first_numbers(1000))) looped.push_back(x);
  EXPECT_EQ(looped, expected);
  auto three = pool.imap(square, {1, 2, 3});
  EXPECT_EQ(rest_of(three), (std::vector{1, 4, 9}));
  EXPECT_EQ(three.next(), std::nullopt);
  EXPECT_EQ(three.next(), std::nullopt);
}

int wait_if_zero(const std::string& gate, int x) {
  if (x == 0) pass_gate(gate);
  return x;
}

TEST_P(Conformance, P_IMAP_01_unordered_is_in_order_of_completion) {
  const Pool pool = make_pool(2);
  Gate gate(file("gate"));
  auto stream = pool.imap_unordered(partial(wait_if_zero, gate.path()), {0, 1, 2});
  std::set<std::size_t> places;
  for (int i = 0; i != 2; ++i) {
    const auto x = stream.next();
    ASSERT_TRUE(x);
    EXPECT_NE(*x, 0);
    EXPECT_EQ(stream.index(), static_cast<std::size_t>(*x));
    places.insert(stream.index());
  }
  EXPECT_EQ(places, (std::set<std::size_t>{1, 2}));
  gate.open();
  EXPECT_EQ(stream.next(), 0);
  EXPECT_EQ(stream.index(), 0U);
  EXPECT_EQ(stream.next(), std::nullopt);
}

TEST_P(Conformance, P_IMAP_02_exactly_buffersize_elements_are_pulled_ahead) {
  const Pool pool = make_pool(2);
  for (const int chunksize : {1, 3}) {
    CountedRange input;
    auto stream = pool.imap(square, input, {.chunksize = chunksize, .buffersize = 6});
    EXPECT_EQ(input.pulled, 6);
    for (int i = 0; i != 20; ++i) {
      EXPECT_EQ(stream.next(), i * i);
      EXPECT_LE(input.pulled, i + 1 + 6);
      EXPECT_GE(input.pulled, i + 1);
    }
    EXPECT_EQ(input.reader, std::this_thread::get_id());
  }
}

TEST_P(Conformance, P_IMAP_02_each_element_taken_lets_one_in) {
  const Pool pool = make_pool(2);
  for (const int ahead : {1, 2, 5}) {
    CountedRange input;
    auto stream =
        pool.imap(square, input, {.chunksize = 1, .buffersize = static_cast<std::size_t>(ahead)});
    EXPECT_EQ(input.pulled, ahead);
    for (int i = 0; i != 10; ++i) {
      EXPECT_EQ(stream.next(), i * i);
      EXPECT_EQ(input.pulled, ahead + i + 1);
    }
  }
}

TEST_P(Conformance, P_IMAP_02_infinite_inputs_have_a_bounded_default) {
  const Pool pool = make_pool(2);
  CountedRange input;
  auto stream = pool.imap(square, input);
  EXPECT_EQ(stream.next(), 0);
  EXPECT_LE(input.pulled, 4 * 2 + 1);
  CountedRange other;
  auto unordered = pool.imap_unordered(square, other);
  for (int i = 0; i != 100; ++i) EXPECT_TRUE(unordered.next());
  EXPECT_LE(other.pulled, 100 + 4 * 2);
}

TEST_P(Conformance, P_IMAP_02_an_lvalue_is_borrowed_and_an_rvalue_moved_in) {
  const Pool pool = make_pool(1);
  std::vector<int> borrowed{1, 2, 3};
  auto stream = pool.imap(square, borrowed, {.chunksize = 1, .buffersize = 1});
  EXPECT_EQ(stream.next(), 1);
  borrowed[2] = 9;  // not read yet: element 1 is the one that is pulled ahead
  EXPECT_EQ(rest_of(stream), (std::vector{4, 81}));
  auto owning = pool.imap(square, CountedRange(50), {.chunksize = 1, .buffersize = 2});
  auto moved = std::move(owning);
  EXPECT_EQ(rest_of(moved).size(), 50U);
}

int fail_on_odd(int x) {
  if (x % 2 != 0) throw std::range_error("odd " + std::to_string(x));
  return x;
}

TEST_P(Conformance, P_IMAP_03_an_error_comes_at_its_place_and_iteration_goes_on) {
  const Pool pool = make_pool(2);
  for (const int chunksize : {1, 4, 10}) {
    auto stream = pool.imap(fail_on_odd, first_numbers(10), {.chunksize = chunksize});
    for (int i = 0; i != 10; ++i) {
      if (i % 2 == 0) {
        EXPECT_EQ(stream.next(), i);
      } else {
        EXPECT_EQ(error_of<std::range_error>([&] { stream.next(); }), "odd " + std::to_string(i));
      }
      EXPECT_EQ(stream.index(), static_cast<std::size_t>(i));
    }
    EXPECT_EQ(stream.next(), std::nullopt);
  }
}

TEST_P(Conformance, P_IMAP_03_an_iterator_throws_the_elements_error_as_often_as_asked) {
  const Pool pool = make_pool(2);
  auto stream = pool.imap_unordered(fail_on_odd, first_numbers(10));
  int values = 0, errors = 0;
  std::set<std::size_t> places;
  for (auto it = stream.begin(); it != stream.end(); ++it) {
    places.insert(it.index());
    if (it.index() % 2 == 0) {
      EXPECT_EQ(*it, static_cast<int>(it.index()));
      ++values;
    } else {
      EXPECT_THROW(*it, std::range_error);
      EXPECT_THROW(*it, std::range_error);
      ++errors;
    }
  }
  EXPECT_EQ(values, 5);
  EXPECT_EQ(errors, 5);
  EXPECT_EQ(places.size(), 10U);
}

int crash_at_three(int x) {
  if (x == 3) crash();
  return x;
}

TEST_P(Conformance, P_IMAP_03_a_crash_costs_one_element) {
  const Pool pool = make_pool(2);
  for (const int chunksize : {1, 10}) {
    auto stream = pool.imap(crash_at_three, first_numbers(10), {.chunksize = chunksize});
    for (int i = 0; i != 10; ++i) {
      if (i == 3) {
        EXPECT_THROW(stream.next(), WorkerCrashed);
      } else {
        EXPECT_EQ(stream.next(), i);
      }
    }
    EXPECT_EQ(stream.next(), std::nullopt);
  }
}

struct ThrowsAtFour : CountedRange {
  struct iterator : CountedRange::iterator {
    int operator*() const {
      if (range->pulled == 4) throw std::domain_error("the input failed");
      return CountedRange::iterator::operator*();
    }
    iterator& operator++() { return *this; }
    void operator++(int) {}
  };
  iterator begin() { return {{this}}; }
};

TEST_P(Conformance, P_IMAP_03_an_error_of_the_input_comes_at_its_place_and_is_the_end) {
  const Pool pool = make_pool(2);
  for (const int chunksize : {1, 3}) {
    auto stream = pool.imap(square, ThrowsAtFour(), {.chunksize = chunksize});
    for (int i = 0; i != 4; ++i) EXPECT_EQ(stream.next(), i * i);
    EXPECT_EQ(error_of<std::domain_error>([&] { stream.next(); }), "the input failed");
    EXPECT_EQ(stream.next(), std::nullopt);
    EXPECT_EQ(pool.apply(square, 2), 4);
  }
}

}  // namespace
}  // namespace procpool::test
