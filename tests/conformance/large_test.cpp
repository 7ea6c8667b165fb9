// Values of megabytes, in and out, whose memory is used again: none shows what was there before.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

using Numbers = std::vector<std::uint64_t>;
constexpr std::size_t MiB = std::size_t{1} << 20;

// Every element is another, and of every seed.
Numbers numbers_of(std::uint64_t seed, std::size_t bytes) {
  Numbers all(bytes / sizeof(std::uint64_t));
  for (std::uint64_t& each : all) each = seed = seed * 6364136223846793005u + 1442695040888963407u;
  return all;
}
bool is_of(std::span<const std::uint64_t> all, std::uint64_t seed, std::size_t bytes) {
  return std::ranges::equal(all, numbers_of(seed, bytes));
}
std::string text_of(std::uint64_t seed, std::size_t bytes) {
  const Numbers all = numbers_of(seed, bytes);
  return {reinterpret_cast<const char*>(all.data()), bytes};
}

// In; in and out; out; of many parts, whose size is not known before.
bool see(std::span<const std::uint64_t> all, std::uint64_t seed, std::size_t bytes) {
  return is_of(all, seed, bytes);
}
Numbers turn(Numbers all) {
  std::ranges::reverse(all);
  return all;
}
std::vector<std::string> parts(std::uint64_t seed, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i != count; ++i) all.push_back(text_of(seed + i, 8 * (1 + i % 1000)));
  return all;
}
std::size_t size_of(const std::vector<std::string>& all) {
  std::size_t sum = 0;
  for (const std::string& each : all) sum += each.size();
  return sum;
}

TEST_P(Conformance, TRAVEL_large_values_come_as_they_went) {
  const Pool pool = make_pool(2);
  std::uint64_t seed = 0;
  for (const std::size_t bytes : {8 * MiB, 64 * MiB, MiB / 8, 8 * MiB, 20 * MiB, 64 * MiB}) {
    ++seed;
    EXPECT_TRUE(pool.apply(see, numbers_of(seed, bytes), seed, bytes)) << bytes;
    EXPECT_TRUE(is_of(pool.apply(numbers_of, seed, bytes), seed, bytes)) << bytes;
    EXPECT_EQ(pool.apply(text_of, seed, bytes), text_of(seed, bytes)) << bytes;
  }
}

TEST_P(Conformance, TRAVEL_large_values_that_are_kept_stay_while_later_ones_come) {
  const Pool pool = make_pool(2);
  std::vector<Future<Numbers>> kept;
  for (std::uint64_t seed = 1; seed != 25; ++seed) {
    kept.push_back(pool.apply_async(turn, numbers_of(seed, MiB + seed * 4096)));
    EXPECT_TRUE(is_of(pool.apply(numbers_of, seed, 2 * MiB), seed, 2 * MiB)) << seed;
  }
  for (std::uint64_t seed = 1; seed != 25; ++seed) {
    Numbers back = std::move(kept[seed - 1]).get();
    std::ranges::reverse(back);
    EXPECT_TRUE(is_of(back, seed, MiB + seed * 4096)) << seed;
  }
}

TEST_P(Conformance, TRAVEL_large_values_of_many_parts_come_as_they_went) {
  const Pool pool = make_pool(2);
  for (const std::size_t count : {1000UL, 20UL, 5000UL, 3000UL, 5000UL}) {
    EXPECT_EQ(pool.apply(parts, count, count), parts(count, count)) << count;
    EXPECT_EQ(pool.apply(size_of, parts(7, count)), size_of(parts(7, count))) << count;
  }
}

TEST_P(Conformance, TRAVEL_large_elements_of_a_map_come_as_they_went) {
  const Pool pool = make_pool(3);
  std::vector<Numbers> inputs;
  for (std::uint64_t seed = 0; seed != 20; ++seed) inputs.push_back(numbers_of(seed, MiB + 8 * seed));
  for (int round = 0; round != 2; ++round) {
    std::vector<Numbers> outputs = pool.map(turn, inputs);
    for (Numbers& each : outputs) std::ranges::reverse(each);
    EXPECT_EQ(outputs, inputs) << round;
  }
}

std::string name_and_size(const Numbers& all) {
  return std::string(this_task::name()) + std::to_string(all.size());
}
int throws(const std::string& what) { throw std::runtime_error(what); }

// A name may fit behind the bytes of its call, or not.
TEST_P(Conformance, TRAVEL_large_calls_have_their_names_and_errors_too) {
  const Pool pool = make_pool(1);
  const std::string name(5000, 'n');
  for (const std::size_t bytes : {MiB, MiB + MiB / 8 - 64, MiB, MiB + MiB / 8 - 64}) {
    EXPECT_EQ(pool.with({.name = name}).apply(name_and_size, numbers_of(1, bytes)),
              name + std::to_string(bytes / 8));
    const std::string text(bytes, 'x');  // of which the end may be left out
    EXPECT_TRUE(error_of<std::runtime_error>([&] {
                  pool.apply(throws, text);
                }).starts_with(std::string(1000, 'x')));
  }
}

}  // namespace
}  // namespace procpool::test
