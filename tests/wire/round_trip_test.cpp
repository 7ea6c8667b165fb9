#include "round_trip.hpp"

#include <gtest/gtest.h>

#include <bitset>
#include <cereal/types/base_class.hpp>
#include <chrono>
#include <complex>
#include <deque>
#include <forward_list>
#include <future>
#include <limits>
#include <list>
#include <procpool/errors.hpp>
#include <queue>
#include <set>
#include <stack>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <valarray>
#include <variant>

#include "sample_types.hpp"

namespace {

using namespace std::chrono_literals;
using wire_test::decoded;
using wire_test::encoded;
using wire_test::round_trip;

template <class T>
void expect_same(const T& value) {
  EXPECT_EQ(round_trip(value), value);
}

TEST(RoundTrip, Numbers) {
  expect_same(42);
  expect_same(true);
  expect_same(false);
  expect_same('x');
  expect_same(std::numeric_limits<std::uint64_t>::max());
  expect_same(std::numeric_limits<double>::denorm_min());
  expect_same(1.5L);
  expect_same(user::Colour::blue);
  expect_same(std::byte{255});
  EXPECT_EQ(encoded(42).size(), sizeof(int));
}

TEST(RoundTrip, Strings) {
  expect_same(std::string());
  expect_same(std::string("a\0b", 3));
  expect_same(std::string(100'000, 'x'));
  EXPECT_TRUE(round_trip(std::u8string(u8"é")) == u8"é");
  expect_same(std::wstring(L"wide"));
  expect_same(std::u32string(U"a\U0001F600"));
}

TEST(RoundTrip, Sequences) {
  expect_same(std::vector<int>{});
  expect_same(std::vector<double>{1, 2, 3});
  expect_same(std::vector<bool>{true, false, true});
  expect_same(std::vector<std::string>{"a", "", "c"});
  expect_same(std::vector<std::vector<char>>{{'a'}, {}, {'b', 'c'}});
  expect_same(std::deque<int>{1, 2});
  expect_same(std::list<std::string>{"x", "y"});
  expect_same(std::forward_list<int>{3, 1, 2});
  expect_same(std::array<int, 3>{1, 2, 3});
  expect_same(std::array<bool, 2>{true, false});
  expect_same(std::array<user::Point, 2>{{{1, 2}, {3, 4}}});
  const std::valarray<double> numbers{1, 2};
  EXPECT_TRUE((round_trip(numbers) == numbers).min());
}

TEST(RoundTrip, AVectorAtAnyOffset) {
  const std::vector<double> numbers{1.5, -2.5, 1e300};
  const auto bytes = encoded(numbers);
  for (std::size_t offset = 0; offset < 16; ++offset) {
    std::vector<std::byte> buffer(offset);
    buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    const auto at = std::span<const std::byte>(buffer).subspan(offset);
    EXPECT_EQ(decoded<std::vector<double>>(at), numbers) << "offset " << offset;
  }
}

TEST(RoundTrip, Associative) {
  expect_same(std::set<int>{1, 2});
  expect_same(std::multiset<int>{1, 1});
  expect_same(std::unordered_set<std::string>{"a", "b"});
  expect_same(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_same(std::multimap<int, int>{{1, 1}, {1, 2}});
  expect_same(std::unordered_map<int, std::string>{{1, "one"}});
  expect_same(std::set<std::string>{});
}

TEST(RoundTrip, Adaptors) {
  expect_same(std::queue<int>({1, 2}));
  expect_same(std::stack<int>({1, 2}));
  std::priority_queue<int> numbers;
  numbers.push(1);
  numbers.push(3);
  EXPECT_EQ(round_trip(numbers).top(), 3);
}

TEST(RoundTrip, SumsAndProducts) {
  expect_same(std::optional<int>());
  expect_same(std::optional<std::string>("x"));
  expect_same(std::variant<int, std::string>("x"));
  expect_same(std::variant<std::monostate, int>());
  expect_same(std::pair<int, std::string>(1, "x"));
  expect_same(std::tuple<>());
  expect_same(std::tuple<int, std::string, bool>(1, "x", true));
  expect_same(std::complex<double>(1, 2));
  expect_same(std::bitset<11>("10110011101"));
  expect_same(std::bitset<8>(0x81));
}

TEST(RoundTrip, Time) {
  EXPECT_EQ(round_trip(5ns).count(), 5);
  EXPECT_EQ(round_trip(std::chrono::duration<double>(0.5)).count(), 0.5);
  const auto now = std::chrono::system_clock::now();
  EXPECT_TRUE(round_trip(now) == now);
}

TEST(RoundTrip, SmartPointers) {
  EXPECT_EQ(*round_trip(std::make_shared<int>(3)), 3);
  EXPECT_EQ(round_trip(std::shared_ptr<int>()), nullptr);
  const auto bytes = encoded(std::make_unique<std::string>("x"));
  EXPECT_EQ(*decoded<std::unique_ptr<std::string>>(bytes), "x");
  const auto one = std::make_shared<int>(1);
  const auto both = round_trip(std::pair(one, one));
  EXPECT_EQ(both.first, both.second);
}

TEST(RoundTrip, PathsAndErrorCodes) {
  expect_same(std::filesystem::path("/tmp/ä b"));
  expect_same(std::make_error_code(std::errc::no_such_file_or_directory));
  expect_same(std::error_code(7, std::system_category()));
  expect_same(std::make_error_code(std::io_errc::stream));
  expect_same(std::make_error_code(std::future_errc::no_state));
}

class OtherCategory : public std::error_category {
  const char* name() const noexcept override { return "other"; }
  std::string message(int) const override { return "other"; }
};

TEST(RoundTrip, AnErrorCodeOfAnotherCategoryIsRefusedByName) {
  const OtherCategory other;
  try {
    encoded(std::error_code(1, other));
    FAIL() << "encoded";
  } catch (const procpool::EncodingError& error) {
    EXPECT_NE(std::string_view(error.what()).find("\"other\""), std::string_view::npos);
  }
}

TEST(RoundTrip, ConstFirstAndReferences) {
  const std::pair<const int, std::string> item(1, "x");
  EXPECT_EQ((decoded<std::pair<int, std::string>>(encoded(item))),
            (std::pair<int, std::string>(1, "x")));
  std::string text = "seen";
  EXPECT_EQ(decoded<std::string>(encoded(std::ref(text))), "seen");
  EXPECT_EQ(decoded<std::string>(encoded(std::cref(text))), "seen");
}

TEST(RoundTrip, PlainStructsGoMemberByMember) {
  expect_same(user::Point{1, 2});
  expect_same(user::Empty{});
  expect_same(user::Sixteen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  expect_same(user::Tree{1, {{2, {}}, {3, {{4, {}}}}}});
  expect_same(std::map<int, user::Tree>{{1, {1, {{2, {}}}}}});
  expect_same(user::everything());
}

TEST(RoundTrip, AStructsOwnFunctionsWin) {
  EXPECT_EQ(round_trip(user::WithMember{5}).calls, 1);
  EXPECT_EQ(round_trip(user::WithFree{5}).calls, 1);
  EXPECT_EQ(round_trip(user::WithSaveAndLoad{5}).value, 6);
}

TEST(RoundTrip, EmptyElements) {
  expect_same(std::vector<user::Empty>(1000));
  expect_same(std::list<user::Empty>(3));
  expect_same(std::deque<user::Empty>(3));
  EXPECT_EQ(round_trip(std::vector<std::array<user::Empty, 4>>(9)).size(), 9u);
}

TEST(RoundTrip, TheSinkTakesOverAtEverySize) {
  const std::string text(300, 'x');
  for (std::size_t size = 0; size < 320; ++size) {
    std::vector<std::byte> first(size);
    wire_test::detail::HeapSink sink;
    wire_test::detail::SpanOut out(first, sink);
    wire_test::detail::encode(out, 1, text, 2);
    EXPECT_EQ(sink.used(), size < out.size());
    wire_test::detail::SpanIn in(out.bytes());
    EXPECT_EQ(wire_test::detail::decode<int>(in), 1);
    EXPECT_EQ(wire_test::detail::decode<std::string>(in), text);
    EXPECT_EQ(wire_test::detail::decode<int>(in), 2);
    EXPECT_TRUE(in.done());
  }
}

struct Shape {
  virtual ~Shape() = default;
  virtual int corners() const = 0;
  template <class A>
  void serialize(A&) {}
};
struct Polygon : Shape {
  int n = 0;
  int corners() const override { return n; }
  template <class A>
  void serialize(A& ar) {
    ar(cereal::base_class<Shape>(this), n);
  }
};
struct Unregistered : Shape {
  int corners() const override { return 0; }
};

TEST(RoundTrip, PolymorphicTypes) {
  const auto polygon = std::make_shared<Polygon>();
  polygon->n = 5;
  EXPECT_EQ(round_trip(std::shared_ptr<Shape>(polygon))->corners(), 5);
}

TEST(RoundTrip, AnUnregisteredPolymorphicTypeIsAnEncodingError) {
  EXPECT_THROW(encoded(std::shared_ptr<Shape>(std::make_shared<Unregistered>())),
               procpool::EncodingError);
}

}  // namespace

CEREAL_REGISTER_TYPE_WITH_NAME(Polygon, "Polygon")
CEREAL_REGISTER_POLYMORPHIC_RELATION(Shape, Polygon)
