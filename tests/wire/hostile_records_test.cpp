// A record from a worker that has gone wrong.
#include <cstddef>
#include <filesystem>
#include <future>
#include <iostream>
#include <random>
#include <span>
#include <system_error>
#include <vector>

#include "sent_home.hpp"

namespace wire_test {
namespace {

bool survives(std::span<const std::byte> bytes) {
  try {
    return wire::rebuild(wire::parse(bytes)) != nullptr;
  } catch (const procpool::DecodingError&) {
    return false;
  }
}

TEST(HostileRecord, TruncatedAtEveryByteIsRefused) {
  const auto good = encode_thrown(throw_three);
  EXPECT_TRUE(survives(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(survives(std::span(good).first(size))) << size;
}

TEST(HostileRecord, MutationsEndInAnException) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  const auto code = std::make_error_code(std::errc::io_error);
  const std::vector<std::vector<std::byte>> records{
      encode_thrown(throw_three), encode_thrown([] { throw ConstructedError(1); }),
      encode_thrown([&] { throw std::filesystem::filesystem_error("f", "/a", "/b", code); }),
      encode_thrown([] { throw std::future_error(std::future_errc::no_state); }),
      encode_thrown([] { throw procpool::WorkerCrashed({.text = "t"}); })};
  std::size_t rebuilt = 0;
  for (int round = 0; round < 4000; ++round) {
    auto bytes = records[random() % records.size()];
    for (std::uint64_t n = 1 + random() % 4; n != 0; --n)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    rebuilt += survives(bytes) ? 1 : 0;
  }
  EXPECT_GT(rebuilt, 0u);
}

TEST(HostileRecord, FieldsThatMakeNoSenseBecomeARemoteError) {
  auto record = wire::parse(encode_thrown([] { throw FieldError("bad row", 7, {1, 2}); }));
  record.chain.front().fields.resize(3);
  EXPECT_THROW(std::rethrow_exception(wire::rebuild(record)), procpool::RemoteError);
  record = wire::parse(encode_thrown([] { throw std::system_error(1, std::system_category()); }));
  record.chain.front().fields.pop_back();
  EXPECT_THROW(std::rethrow_exception(wire::rebuild(record)), procpool::RemoteError);
}

TEST(HostileRecord, AnEmptyOrEndlessChainIsRefused) {
  wire::ErrorRecord record;
  EXPECT_THROW(wire::parse(serialise(record)), procpool::DecodingError);
  record.chain.resize(wire::max_error_links);
  EXPECT_EQ(wire::parse(serialise(record)), record);
  record.chain.resize(wire::max_error_links + 1);
  EXPECT_THROW(wire::parse(serialise(record)), procpool::DecodingError);
}

}  // namespace
}  // namespace wire_test
