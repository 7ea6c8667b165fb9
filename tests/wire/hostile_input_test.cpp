// Whatever the bytes are, decoding ends in a value or in an exception, and allocates in proportion
// to its input.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <forward_list>
#include <iostream>
#include <list>
#include <new>
#include <procpool/errors.hpp>
#include <random>
#include <set>
#include <string>

#include "round_trip.hpp"
#include "sample_types.hpp"

namespace {

std::atomic<std::size_t> largest_allocation{0};

void* counted_allocation(std::size_t size) {
  if (size > largest_allocation) largest_allocation = size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted_allocation(size); }
void* operator new[](std::size_t size) { return counted_allocation(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using Bytes = std::vector<std::byte>;
using wire_test::decoded;
using wire_test::encoded;

enum class Verdict { value, refused };

template <class T>
Verdict decode_bounded(const Bytes& input) {
  largest_allocation = 0;
  Verdict verdict = Verdict::value;
  try {
    decoded<T>(input);
  } catch (const procpool::DecodingError& error) {
    verdict = Verdict::refused;
    EXPECT_STRNE(error.what(), "");
  }
  EXPECT_LE(largest_allocation, 64 * 1024 + 64 * input.size());
  return verdict;
}

/// Every true prefix is refused, and so is what follows the end.
template <class T>
void truncate_everywhere(const Bytes& good) {
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(decode_bounded<T>(Bytes(good.data(), good.data() + size)), Verdict::refused)
        << "at " << size << " of " << good.size();
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(decode_bounded<T>(longer), Verdict::refused);
}

template <class T>
void mutate(const Bytes& good, std::mt19937_64& random) {
  for (int round = 0; round < 500; ++round) {
    Bytes bytes = good;
    for (std::uint64_t n = 1 + random() % 4; n != 0 && !bytes.empty(); --n)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    decode_bounded<T>(bytes);
  }
}

/// The largest size that can be claimed, and others that overflow when multiplied, anywhere.
template <class T>
void claim_huge_sizes(const Bytes& good) {
  constexpr std::uint64_t sizes[] = {~std::uint64_t{0}, std::uint64_t{1} << 61, 1'000'000};
  for (std::size_t at = 0; at + 8 <= good.size(); ++at)
    for (const std::uint64_t size : sizes) {
      Bytes bytes = good;
      std::memcpy(bytes.data() + at, &size, sizeof size);
      decode_bounded<T>(bytes);
    }
}

template <class T>
void torture(const T& value, std::mt19937_64& random) {
  const Bytes good = encoded(value);
  EXPECT_EQ(decode_bounded<T>(good), Verdict::value);
  truncate_everywhere<T>(good);
  mutate<T>(good, random);
  claim_huge_sizes<T>(good);
}

class HostileInput : public testing::Test {
 protected:
  HostileInput() { std::cout << "seed " << seed_ << '\n'; }

  std::mt19937_64& random() { return random_; }

 private:
  std::uint64_t seed_ = std::random_device()();
  std::mt19937_64 random_{seed_};
};

TEST_F(HostileInput, Sequences) {
  torture(std::string("hello"), random());
  torture(std::u32string(U"hello"), random());
  torture(std::vector<double>{1, 2, 3}, random());
  torture(std::vector<std::string>{"a", "bc"}, random());
  torture(std::vector<bool>{true, false}, random());
  torture(std::deque<int>{1, 2}, random());
  torture(std::list<std::string>{"a", "b"}, random());
  torture(std::forward_list<int>{1, 2}, random());
  torture(std::array<bool, 3>{true, false, true}, random());
}

TEST_F(HostileInput, ElementsWithoutBytes) {
  torture(std::vector<user::Empty>(10), random());
  torture(std::list<user::Empty>(10), random());
  torture(std::set<std::tuple<>>{{}}, random());
}

TEST_F(HostileInput, Associative) {
  torture(std::map<std::string, double>{{"a", 1}, {"b", 2}}, random());
  torture(std::unordered_map<int, std::string>{{1, "x"}}, random());
  torture(std::multiset<std::string>{"a", "a"}, random());
}

TEST_F(HostileInput, SumsAndProducts) {
  torture(std::optional<std::string>("x"), random());
  torture(std::variant<int, std::string, bool>("x"), random());
  torture(std::tuple<int, std::vector<std::string>, bool>(1, {"x"}, true), random());
  torture(std::bitset<20>(77), random());
}

TEST_F(HostileInput, Structs) {
  torture(user::Tree{1, {{2, {}}, {3, {{4, {}}}}}}, random());
  torture(user::everything(), random());
  torture(std::filesystem::path("/a/b"), random());
  torture(std::make_shared<user::Point>(), random());
}

TEST(HostileBool, OnlyZeroAndOne) {
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(decode_bounded<bool>({static_cast<std::byte>(byte)}),
              byte < 2 ? Verdict::value : Verdict::refused);
}

TEST(HostileDepth, AMebibyteOfNestingIsRefused) {
  EXPECT_EQ(decode_bounded<user::Chain>(Bytes(1 << 20, std::byte{1})), Verdict::refused);
}

user::Chain chain_of(int levels) {
  user::Chain chain;
  for (int i = 1; i < levels; ++i) {
    user::Chain outer;
    outer.next = std::make_unique<user::Chain>(std::move(chain));
    chain = std::move(outer);
  }
  return chain;
}

TEST(HostileDepth, FiveHundredLevelsPassAndOneMoreDoesNot) {
  EXPECT_EQ(decode_bounded<user::Chain>(encoded(chain_of(500))), Verdict::value);
  EXPECT_THROW(encoded(chain_of(501)), procpool::EncodingError);
}

}  // namespace
