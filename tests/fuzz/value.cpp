// Values of every kind of type that cereal carries here: anything is a DecodingError or a value,
// which decodes to the same bytes again, and no size is believed that the bytes do not bear out.
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>

#include <procpool/detail/archive.hpp>
#include <procpool/errors.hpp>

#include "fuzz.hpp"

namespace procpool::fuzz {

struct Plain {
  int number = 0;
  std::string text;
  std::vector<double> values;
};
struct Tree {
  std::uint8_t value = 0;
  std::vector<Tree> children;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value, children);
  }
};

using Value = std::variant<
    std::vector<std::string>, std::map<std::string, std::vector<int>>, std::vector<bool>, Tree,
    std::tuple<bool, char, double, std::optional<std::string>>, std::shared_ptr<std::string>,
    std::unordered_map<int, std::set<int>>, std::deque<Plain>,
    std::array<std::vector<std::uint8_t>, 3>, std::chrono::nanoseconds,
    std::vector<std::shared_ptr<int>>, std::vector<std::tuple<>>>;

namespace {

std::vector<std::byte> encoded(const Value& value) {
  detail::HeapSink sink;
  detail::SpanOut out({}, sink);
  detail::encode(out, value);
  return {out.bytes().begin(), out.bytes().end()};
}

void check(std::span<const std::byte> bytes) try {
  detail::SpanIn in(bytes);
  const auto value = detail::decode<Value>(in);
  const auto again = encoded(value);
  detail::SpanIn second(again);
  require(detail::decode<Value>(second).index() == value.index() && second.done(),
          "what was decoded can be sent again");
} catch (const DecodingError&) {
} catch (const EncodingError&) {
}

}  // namespace

std::vector<Seed> seeds() {
  const auto shared = std::make_shared<int>(3);
  const Value values[] = {
      std::vector<std::string>{"a", "", std::string(100, 'x')},
      std::map<std::string, std::vector<int>>{{"k", {1, 2, 3}}},
      std::vector<bool>{true, false, true},
      Tree{1, {Tree{2, {}}, Tree{3, {Tree{4, {}}}}}},
      std::tuple<bool, char, double, std::optional<std::string>>{true, 'c', 1.5, "x"},
      std::make_shared<std::string>("shared"),
      std::unordered_map<int, std::set<int>>{{1, {2, 3}}},
      std::deque<Plain>{{1, "t", {0.5}}, {}},
      std::array<std::vector<std::uint8_t>, 3>{{{1}, {}, {2, 3}}},
      std::chrono::nanoseconds(5),
      std::vector<std::shared_ptr<int>>{shared, shared, nullptr},
      std::vector<std::tuple<>>(3)};
  std::vector<Seed> all;
  for (const Value& value : values) all.push_back(seed_of(encoded(value)));
  return all;
}

}  // namespace procpool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::fuzz::check(procpool::fuzz::as_bytes(data, size));
  return 0;
}
