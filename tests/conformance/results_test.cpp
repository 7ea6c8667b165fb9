// R: what a task's result is at home.
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

template <class R, class F, class... Args>
constexpr bool gives = std::is_same_v<R, task_result_t<F, Args...>>;

const std::string text = "static";
int numbers[] = {4, 5};

std::string_view as_view() { return "seen"; }
const char* as_chars() { return "literal"; }
const char* as_null() { return nullptr; }
std::span<int> as_span() { return numbers; }
std::span<const std::string> as_words() { return {&text, 1}; }
const std::string& as_reference() { return text; }
int& as_changeable() { return numbers[0]; }
const std::string as_const() { return text; }
std::unique_ptr<int> as_owner(int x) { return std::make_unique<int>(x); }
int* as_pointer() { return numbers; }
Future<int> as_future() { return {}; }

TEST_P(Conformance, R_is_the_decayed_result) {
  const Pool pool = make_pool(1);
  static_assert(gives<std::string, decltype(&as_reference)> &&
                gives<std::string, decltype(&as_const)> && gives<int, decltype(&as_changeable)>);
  EXPECT_EQ(pool.apply(as_reference), "static");
  EXPECT_EQ(pool.apply(as_changeable), 4);
  EXPECT_EQ(pool.apply(as_const), "static");
}

using Owners = std::map<int, std::pair<int, std::vector<std::unique_ptr<int>>>>;
Owners as_owners(int x) {
  Owners all;
  all[x].second.push_back(std::make_unique<int>(x));
  return all;
}

struct Crate {
  std::string label;
  std::vector<std::unique_ptr<int>> owners;
  std::vector<Crate> inside;
};
Crate as_crate(int x) {
  Crate crate{"outer", {}, {}};
  crate.inside.push_back({"inner", {}, {}});
  crate.inside[0].owners.push_back(std::make_unique<int>(x));
  return crate;
}

TEST_P(Conformance, R_may_be_move_only_also_in_containers_and_structs) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(*pool.apply(as_owner, 3), 3);
  EXPECT_EQ(*pool.map(as_owner, {7, 8}).at(1), 8);
  EXPECT_EQ(*pool.apply(as_owners, 3).at(3).second.at(0), 3);
  EXPECT_EQ(*pool.apply(as_crate, 5).inside.at(0).owners.at(0), 5);
  auto future = pool.submit(as_owners, 4);
  const auto shared = future;
  EXPECT_THROW(std::move(future).get(), Misuse);
  EXPECT_EQ(*shared.get().at(4).second.at(0), 4);
}

TEST_P(Conformance, R_owns_what_views_and_spans_saw) {
  const Pool pool = make_pool(1);
  static_assert(gives<std::string, decltype(&as_view)> && gives<std::string, decltype(&as_chars)>);
  static_assert(gives<std::vector<int>, decltype(&as_span)> &&
                gives<std::vector<std::string>, decltype(&as_words)>);
  EXPECT_EQ(pool.apply(as_view), "seen");
  EXPECT_EQ(pool.apply(as_chars), "literal");
  EXPECT_EQ(pool.apply(as_span), (std::vector{4, 5}));
  EXPECT_EQ(pool.apply(as_words), std::vector<std::string>{"static"});
  EXPECT_EQ(pool.map([](int) { return std::string_view("each"); }, {1, 2}),
            (std::vector<std::string>{"each", "each"}));
  EXPECT_THROW(pool.apply(as_null), EncodingError);
}

TEST_P(Conformance, R_is_no_future_and_no_pointer) {
  static_assert(!task<decltype(&as_pointer)> && !task<decltype(&as_future)>);
}

TEST_P(Conformance, P_MAP_11_a_map_to_bool_is_a_vector_of_bool) {
  const Pool pool = make_pool(1);
  const auto is_odd = [](int x) { return x % 2 == 1; };
  static_assert(std::is_same_v<decltype(pool.map(is_odd, {1})), std::vector<bool>>);
  EXPECT_EQ(pool.map(is_odd, {1, 2, 3}), (std::vector<bool>{true, false, true}));
}

void mark_twice(const std::string& marks, int) { add_mark(marks); }
void mark_pair(std::string marks, int) { add_mark(marks); }

TEST_P(Conformance, P_MAP_11_a_void_function_is_mapped_like_any_other) {
  const Pool pool = make_pool(2);
  const std::string marks = file("marks");
  const auto f = partial(mark_twice, marks);
  static_assert(std::is_void_v<decltype(pool.map(f, {1, 2}))>);
  static_assert(std::is_same_v<decltype(pool.map_async(f, {1, 2})), Future<void>>);
  pool.map(f, {1, 2});
  pool.map_async(f, {1, 2}).get();
  using Pairs = std::vector<std::pair<std::string, int>>;
  static_assert(std::is_void_v<decltype(pool.starmap(mark_pair, Pairs()))>);
  pool.starmap(mark_pair, Pairs{{marks, 1}});
  pool.starmap_async(mark_pair, Pairs{{marks, 2}}).get();
  EXPECT_EQ(count_marks(marks), 6U);
  auto stream = pool.imap(f, {1, 2});
  static_assert(std::is_same_v<decltype(stream.next()), std::optional<std::monostate>>);
  EXPECT_TRUE(stream.next());
  EXPECT_TRUE(stream.next());
  EXPECT_FALSE(stream.next());
  EXPECT_EQ(count_marks(marks), 8U);
  for (auto&& each : pool.imap_unordered(f, {1, 2, 3})) {
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(each)>, std::monostate>);
  }
  EXPECT_EQ(count_marks(marks), 11U);
  EXPECT_THROW(pool.map(fail_with, {"one"}), std::runtime_error);
}

}  // namespace
}  // namespace procpool::test
