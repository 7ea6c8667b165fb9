// What travels: arguments and elements, sentence by sentence.
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

std::string text_of_string(const std::string& text) { return text; }
std::size_t length_of_chars(const char* text) { return std::string_view(text).size(); }

TEST_P(Conformance, TRAVEL_texts_cross_as_strings) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(text_of_string, "literal"), "literal");
  const char* pointer = "pointer";
  EXPECT_EQ(pool.apply(text_of_string, pointer), "pointer");
  char array[] = "array";
  EXPECT_EQ(pool.apply(text_of_string, array), "array");
  EXPECT_EQ(pool.apply(length_of_chars, "to chars"), 8U);
  EXPECT_EQ(pool.map(text_of_string, {"a", "b"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(pool.apply([](auto text) { return std::is_same_v<decltype(text), std::string>; }, "x"),
            true);
  static_assert(task<decltype(&text_of_string), const char*>);
}

// The mapping of this process that an address lies in.
std::string mapping_of(const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    if (begin <= number && number < end) return line;
  }
  return {};
}
std::string view_place(std::string_view text) { return mapping_of(text.data()); }
std::string span_place(std::string before, std::span<const double> numbers) {
  if (reinterpret_cast<std::uintptr_t>(numbers.data()) % alignof(double) != 0) return "misaligned";
  if (before != "abc" || numbers.size() < 3 || numbers[2] != 3) return "wrong";
  return mapping_of(numbers.data());
}
struct Point {
  int x = 0, y = 0;
  bool operator==(const Point&) const = default;
};
int sum_of_points(std::span<const Point> points) {
  int sum = 0;
  for (const Point& point : points) sum += point.x * point.y;
  return sum;
}

TEST_P(Conformance, TRAVEL_string_views_and_spans_are_seen_in_place) {
  const Pool pool = make_pool(1);
  for (const std::size_t size : {5UL, 500UL, 50'000UL, 5'000'000UL}) {  // slot, arena, slab
    const std::string text(size, 'x');
    EXPECT_TRUE(contains(pool.apply(view_place, text), "memfd:procpool")) << size;
    EXPECT_TRUE(contains(pool.apply(view_place, std::string_view(text)), "memfd:procpool")) << size;
    std::vector<double> numbers(size, 3.0);
    EXPECT_TRUE(contains(pool.apply(span_place, "abc", numbers), "memfd:procpool")) << size;
    EXPECT_TRUE(contains(pool.apply(span_place, "abc", std::span(numbers)), "memfd:procpool"))
        << size;
  }
  EXPECT_TRUE(contains(pool.apply(view_place, "literal"), "memfd:procpool"));
  for (const auto& place : pool.map(view_place, std::vector<std::string>(50, "element"))) {
    EXPECT_TRUE(contains(place, "memfd:procpool")) << place;
  }
  EXPECT_EQ(pool.apply(sum_of_points, std::vector<Point>{{1, 2}, {3, 4}}), 14);
}

TEST_P(Conformance, TRAVEL_a_reference_wrapper_crosses_as_what_it_refers_to) {
  const Pool pool = make_pool(1);
  std::string text = "here";
  EXPECT_EQ(pool.apply(text_of_string, std::ref(text)), "here");
  EXPECT_EQ(pool.apply(text_of_string, std::cref(text)), "here");
  std::vector<std::string> texts{"a", "b"};
  const std::vector<std::reference_wrapper<std::string>> all(texts.begin(), texts.end());
  EXPECT_EQ(pool.map(text_of_string, all), texts);
}

int age_of(const std::pair<std::string, int>& entry) { return entry.second; }
std::string name_of_entry(std::pair<const std::string, int> entry) { return entry.first; }
std::string name_and_age(const std::string& name, int age) { return name + std::to_string(age); }

TEST_P(Conformance, TRAVEL_the_entries_of_a_map) {
  const Pool pool = make_pool(1);
  const std::map<std::string, int> ages{{"ada", 36}, {"eve", 30}};
  EXPECT_EQ(pool.map(age_of, ages), (std::vector{36, 30}));
  EXPECT_EQ(pool.map(name_of_entry, ages), (std::vector<std::string>{"ada", "eve"}));
  EXPECT_EQ(pool.starmap(name_and_age, ages), (std::vector<std::string>{"ada36", "eve30"}));
  EXPECT_EQ(pool.apply(age_of, *ages.begin()), 36);
}

int by_value(std::unique_ptr<int> owner) { return *owner; }
int by_const(const std::unique_ptr<int>& owner) { return *owner; }
int by_rvalue(std::unique_ptr<int>&& owner) { return *owner; }
int by_reference(int& x) { return ++x; }
int with_default(int x, int y = 2) { return x + y; }

TEST_P(Conformance, TRAVEL_the_callable_gets_rvalues_of_decayed_types) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(by_value, std::make_unique<int>(1)), 1);
  EXPECT_EQ(pool.apply(by_const, std::make_unique<int>(2)), 2);
  EXPECT_EQ(pool.apply(by_rvalue, std::make_unique<int>(3)), 3);
  const std::array owners{std::make_unique<int>(4), std::make_unique<int>(5)};
  EXPECT_EQ(pool.map(by_value, owners), (std::vector{4, 5}));
  static_assert(!task<decltype(&by_reference), int>);
  static_assert(!task<decltype(&with_default), int> && task<decltype(&with_default), int, int>);
  static_assert(!task<int (*)(const int*), int*> && !shippable<int*> && !shippable<int[3]>);
  static_assert(!task<int (*)(std::span<const int>), int(&)[3]>);
}

struct Measurement {  // sixteen members, as they are
  std::string name;
  Point at;
  std::vector<Point> more;
  std::optional<double> value;
  std::variant<int, std::string> tag;
  std::chrono::milliseconds took{};
  std::filesystem::path file;
  std::error_code error;
  std::map<std::string, std::vector<int>> table;
  std::set<int> marks;
  std::unique_ptr<Point> owned;
  std::shared_ptr<int> shared;
  std::tuple<int, char> pair;
  std::array<short, 2> two{};
  bool good = false;
  enum class Colour { red, green } colour = Colour::red;
};
Measurement measured(Measurement m) {
  m.at.x += m.more.at(0).y + m.owned->x + *m.shared;
  return m;
}

TEST_P(Conformance, TRAVEL_an_own_aggregate_crosses_member_by_member) {
  const Pool pool = make_pool(1);
  Measurement sent;
  sent.name = "first";
  sent.at = {1, 2};
  sent.more = {{3, 4}};
  sent.value = 2.5;
  sent.tag = "tag";
  sent.took = 7ms;
  sent.file = "/a/b";
  sent.error = std::make_error_code(std::errc::io_error);
  sent.table = {{"t", {1, 2}}};
  sent.marks = {5, 6};
  sent.owned = std::make_unique<Point>(Point{10, 0});
  sent.shared = std::make_shared<int>(100);
  sent.pair = {8, 'c'};
  sent.two = {9, 10};
  sent.good = true;
  sent.colour = Measurement::Colour::green;
  const Measurement back = pool.apply(measured, sent);
  EXPECT_EQ(back.name, sent.name);
  EXPECT_EQ(back.at, (Point{115, 2}));
  EXPECT_EQ(back.more, sent.more);
  EXPECT_EQ(back.value, sent.value);
  EXPECT_EQ(back.tag, sent.tag);
  EXPECT_EQ(back.took, sent.took);
  EXPECT_EQ(back.file, sent.file);
  EXPECT_EQ(back.error, sent.error);
  EXPECT_EQ(back.table, sent.table);
  EXPECT_EQ(back.marks, sent.marks);
  EXPECT_EQ(*back.owned, *sent.owned);
  EXPECT_EQ(*back.shared, 100);
  EXPECT_EQ(back.pair, sent.pair);
  EXPECT_EQ(back.two, sent.two);
  EXPECT_TRUE(back.good);
  EXPECT_EQ(back.colour, Measurement::Colour::green);
}

class Account {  // cereal's way
 public:
  Account() = default;
  explicit Account(int balance) : balance_(balance) {}
  int balance() const { return balance_; }
  template <class Archive>
  void serialize(Archive& ar) {
    ar(balance_);
  }

 private:
  int balance_ = 0;
};
Account deposit(const Account& account, int amount) { return Account(account.balance() + amount); }

TEST_P(Conformance, TRAVEL_other_own_types_by_serialize) {
  EXPECT_EQ(make_pool(1).apply(deposit, Account(40), 2).balance(), 42);
}

}  // namespace
}  // namespace procpool::test
