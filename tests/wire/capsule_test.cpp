// A capsule is read back as it was, and whatever else a file holds is refused.
#include <gtest/gtest.h>

#include <cstddef>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <procpool/errors.hpp>

#include "wire/capsule.hpp"

namespace wire_test {
namespace {

namespace wire = procpool::wire;

wire::Capsule sample() {
  return {.pool = {.program = "server (build id 5ac0)",
                   .file = "/usr/bin/server",
                   .start_method = procpool::StartMethod::spawn,
                   .modules = {"/a.so", "/b.so"},
                   .hooks = {{0, 0, 1, {1, 2}}, {2, 77, 88, {}}}},
          .task = {.code = "parse_row(std::string)",
                   .name = "row",
                   .module_name = "server (build id 5ac0)",
                   .module = 77,
                   .offset = 99,
                   .attempt = 3,
                   .timeout = 1'500'000'000,
                   .is_element = true,
                   .number = 12,
                   .content = wire::Content::whole,
                   .bytes = 7,
                   .callable = {1, 2, 3},
                   .arguments = {4, 5, 6, 7}},
          .failure = wire::Failure::timeout,
          .when = 1'795'852'862'000'000'000,
          .report = "it took too long"};
}

bool is_refused(std::span<const std::byte> bytes) {
  try {
    static_cast<void>(wire::describe(wire::parse_capsule(bytes)));
    return false;
  } catch (const procpool::DecodingError&) {
    return true;
  }
}
bool is_refused(const wire::Capsule& capsule) { return is_refused(wire::serialise(capsule)); }

std::string refusal(std::span<const std::byte> bytes) {
  try {
    static_cast<void>(wire::parse_capsule(bytes));
    return {};
  } catch (const procpool::DecodingError& error) {
    return error.what();
  }
}

TEST(Capsule, comes_back_as_it_was) {
  EXPECT_EQ(wire::parse_capsule(wire::serialise(sample())), sample());
  EXPECT_EQ(wire::parse_capsule(wire::serialise({})), wire::Capsule{});
}

TEST(Capsule, truncated_at_every_byte_is_refused) {
  const auto good = wire::serialise(sample());
  for (std::size_t size = 0; size != good.size(); ++size) {
    EXPECT_TRUE(is_refused(std::span(good).first(size))) << size;
  }
}

TEST(Capsule, bytes_left_over_are_refused) {
  auto bytes = wire::serialise(sample());
  bytes.push_back({});
  EXPECT_TRUE(is_refused(bytes));
}

TEST(Capsule, any_bytes_end_in_a_capsule_or_in_a_decoding_error) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  const auto good = wire::serialise(sample());
  std::size_t accepted = 0;
  for (int round = 0; round != 20'000; ++round) {
    auto bytes = good;
    for (std::uint64_t n = 1 + random() % 4; n != 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 1));
    accepted += is_refused(bytes) ? 0 : 1;
  }
  EXPECT_GT(accepted, 0U);  // what hit a text, for one
}

TEST(Capsule, what_makes_no_sense_is_refused) {
  const auto refused = [](auto change) {
    wire::Capsule capsule = sample();
    change(capsule);
    return is_refused(capsule);
  };
  EXPECT_TRUE(refused([](auto& c) { c.failure = static_cast<wire::Failure>(3); }));
  EXPECT_TRUE(refused([](auto& c) { c.task.content = static_cast<wire::Content>(3); }));
  EXPECT_TRUE(
      refused([](auto& c) { c.pool.start_method = static_cast<procpool::StartMethod>(3); }));
  EXPECT_TRUE(refused([](auto& c) { c.pool.hooks[0].kind = 3; }));
  EXPECT_TRUE(refused([](auto& c) { c.task.bytes = 6; }));
  EXPECT_TRUE(refused([](auto& c) { c.task.content = wire::Content::too_large; }));
  EXPECT_TRUE(refused([](auto& c) { c.task.is_element = false; }));
  EXPECT_FALSE(refused([](auto&) {}));
}

TEST(Capsule, other_files_and_other_formats_are_told_apart) {
  auto bytes = wire::serialise(sample());
  bytes[16] = std::byte{7};
  EXPECT_NE(refusal(bytes).find("of format 7, and this program reads 1"), std::string::npos)
      << refusal(bytes);
  bytes[0] = std::byte{'P'};
  EXPECT_NE(refusal(bytes).find("no capsule"), std::string::npos) << refusal(bytes);
}

TEST(Capsule, is_described) {
  const std::string text = wire::describe(sample());
  for (const char* part :
       {"task          parse_row(std::string)\n", "name          row\n", "index         12\n",
        "attempt       3\n", "timeout       1.5", "7 bytes", "server (build id 5ac0)",
        "/usr/bin/server", "start method  spawn\n", "module        /a.so\n",
        "the pool's initializer (0 bytes)", "2026-11-28 08:01:02 UTC", "longer than its timeout",
        "it took too long"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nis not in\n" << text;
  }
}

TEST(Capsule, a_description_does_not_command_the_terminal) {
  wire::Capsule capsule = sample();
  capsule.report = "a\x1b[2Jb\nc";
  capsule.task.name = std::string("n\0m", 3);
  const std::string text = wire::describe(capsule);
  EXPECT_NE(text.find("a\\x1b[2Jb\nc"), std::string::npos) << text;
  EXPECT_NE(text.find("n\\x00m"), std::string::npos) << text;
}

}  // namespace
}  // namespace wire_test
