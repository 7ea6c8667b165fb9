// What every target consists of: `LLVMFuzzerTestOneInput`, which takes anything and never
// misbehaves, and `seeds`, well-formed inputs to start from. libFuzzer runs it (./run fuzz), and so
// does replay.cpp, without libFuzzer, in every build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace procpool::fuzz {

using Seed = std::vector<std::uint8_t>;
std::vector<Seed> seeds();

/// Ends the run: a promise was broken.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "not so: %s\n", promise);
  std::abort();
}

inline std::span<const std::byte> as_bytes(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}
inline Seed seed_of(std::span<const std::byte> bytes) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return {data, data + bytes.size()};
}

/// Takes an input apart. What there is not is zero.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(as_bytes(data, size)) {}

  bool empty() const { return rest_.empty(); }
  template <class T>
  T take() {
    T value{};
    const auto bytes = take_bytes(sizeof value);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  std::span<const std::byte> take_bytes(std::size_t count) {
    const auto taken = rest_.first(count < rest_.size() ? count : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> rest_;
};

/// Puts one together.
class Output {
 public:
  template <class T>
  Output& put(const T& value) {
    return put_bytes(std::as_bytes(std::span<const T, 1>(&value, 1)));
  }
  Output& put_bytes(std::span<const std::byte> bytes) {
    const Seed more = seed_of(bytes);
    seed_.insert(seed_.end(), more.begin(), more.end());
    return *this;
  }
  Seed seed() const { return seed_; }

 private:
  Seed seed_;
};

}  // namespace procpool::fuzz
