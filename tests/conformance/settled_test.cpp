// What is left of a lazy range as outcomes: settled().
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Stream = SettledResults<int>;
static_assert(std::is_same_v<decltype(std::declval<Results<int>>().settled()), Stream>);
static_assert(std::input_iterator<Stream::iterator>);
static_assert(!std::is_copy_constructible_v<Stream>);

int fail_on_odd(int x) {
  if (x % 2 != 0) throw std::range_error("odd " + std::to_string(x));
  return x;
}
int fail_at_three(bool protects, int x) {
  if (x == 3) crash_or_throw(protects);
  return x;
}

TEST_P(Conformance, P_IMAP_03_a_loop_over_settled_sees_every_element) {
  const Pool pool = make_pool(2);
  for (const int chunksize : {1, 4, 10}) {
    int i = 0;
    for (Outcome<int>& each :
         pool.imap(fail_on_odd, first_numbers(10), {.chunksize = chunksize}).settled()) {
      EXPECT_EQ(each.index(), static_cast<std::size_t>(i));
      EXPECT_EQ(each.has_value(), i % 2 == 0);
      if (each) {
        EXPECT_EQ(*each, i);
      } else {
        EXPECT_EQ(error_of<std::range_error>([&] { each.value(); }), "odd " + std::to_string(i));
      }
      ++i;
    }
    EXPECT_EQ(i, 10);
  }
}

TEST_P(Conformance, P_IMAP_03_settled_and_unordered_and_a_crash) {
  const Pool pool = make_pool(2);
  std::set<std::size_t> places;
  auto stream = pool.imap_unordered(partial(fail_at_three, protects()), first_numbers(10)).settled();
  for (auto it = stream.begin(); it != stream.end(); ++it) {
    EXPECT_EQ(it.index(), it->index());
    places.insert(it.index());
    if (it.index() == 3) {
      expect_hard_failure([&] { (void)it->value(); });
    } else {
      EXPECT_EQ(it->value(), static_cast<int>(it.index()));
    }
  }
  EXPECT_EQ(places.size(), 10U);
}

TEST_P(Conformance, P_IMAP_03_settled_goes_on_where_the_stream_was) {
  const Pool pool = make_pool(1);
  auto stream = pool.imap(fail_on_odd, first_numbers(6));
  EXPECT_EQ(stream.next(), 0);
  auto rest = std::move(stream).settled();
  const auto one = rest.next();
  ASSERT_TRUE(one);
  EXPECT_FALSE(one->has_value());
  EXPECT_EQ(rest.index(), 1U);
  EXPECT_EQ(rest.next_for(20s)->value(), 2);
  int seen = 0;
  for (const auto& each : rest) seen += static_cast<int>(each.index());
  EXPECT_EQ(seen, 3 + 4 + 5);
  EXPECT_FALSE(rest.next());

  auto begun = pool.imap(square, {2, 3});
  EXPECT_EQ(*begun.begin(), 4);
  std::vector<int> values;
  for (auto& each : std::move(begun).settled()) values.push_back(each.value());
  EXPECT_EQ(values, (std::vector{4, 9}));  // the element that an iterator stood at is not lost
}

TEST_P(Conformance, P_MAP_11_a_void_stream_is_settled) {
  const Pool pool = make_pool(1);
  int values = 0, errors = 0;
  const auto fail_on_one = [](int x) {
    if (x == 1) throw std::range_error("one");
  };
  for (const Outcome<void>& each : pool.imap(fail_on_one, {0, 1, 2}).settled()) {
    (each ? values : errors) += 1;
  }
  EXPECT_EQ(values, 2);
  EXPECT_EQ(errors, 1);
}

TEST_P(Conformance, P_IMAP_05_settled_next_times_out_and_can_be_called_again) {
  const Pool pool = make_pool(1);
  Gate gate(file("gate"));
  auto stream = pool.imap(partial(wait_at, gate.path()), {4}).settled();
  EXPECT_THROW(stream.next_for(1ms), TimeoutError);
  gate.open();
  EXPECT_EQ(stream.next()->value(), 4);
  EXPECT_EQ(stream.next_for(0s), std::nullopt);
}

}  // namespace
}  // namespace procpool::test
