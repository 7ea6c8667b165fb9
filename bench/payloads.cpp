// Large strings into a task and out of one. The floor is one copy of as many bytes within one
// process, with the same work around it: the taker reads every cache line, the maker writes all bytes.

#include <cstdint>
#include <cstring>
#include <memory>
#include <procpool/pool.hpp>
#include <string>

#include "bench/contests.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

constexpr std::size_t cache_line = 64;

std::uint64_t read_all(const std::string& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += cache_line) {
    sum += static_cast<unsigned char>(bytes[i]);
  }
  return sum;
}

std::string make(std::size_t size) { return std::string(size, 'p'); }

struct Size {
  const char* name;
  std::size_t bytes;
  std::size_t times;  // per sample
};

double gigabytes_per_second(const Size& size, const std::function<void()>& move) {
  const double time = microseconds_each(size.times, move);
  return static_cast<double>(size.bytes) / time / 1e3;
}

struct Buffers {
  explicit Buffers(std::size_t size) : from(make(size)), to(make(size)) {}
  void copy() { std::memcpy(to.data(), from.data(), from.size()); }
  std::string from;
  std::string to;
  std::uint64_t sum = 0;
};

Sides into(const Size& size) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto buffers = std::make_shared<Buffers>(size.bytes);
  Sides sides;
  sides.ours = [=] {
    return gigabytes_per_second(size, [&] { buffers->sum = pool->apply(read_all, buffers->from); });
  };
  sides.peers.push_back({"memcpy", "memcpy + the reading", std::nullopt, [=] {
                           return gigabytes_per_second(size, [&] {
                             buffers->copy();
                             buffers->sum = read_all(buffers->to);
                           });
                         }});
  return sides;
}

Sides out_of(const Size& size) {
  const auto pool = std::make_shared<procpool::Pool>(1);
  const auto buffers = std::make_shared<Buffers>(size.bytes);
  Sides sides;
  sides.ours = [=] {
    return gigabytes_per_second(size,
                                [&] { buffers->sum = read_all(pool->apply(make, size.bytes)); });
  };
  sides.peers.push_back({"memcpy", "memcpy + making, reading", std::nullopt, [=] {
                           return gigabytes_per_second(size, [&] {
                             std::memset(buffers->from.data(), 'p', size.bytes);
                             buffers->copy();
                             buffers->sum = read_all(buffers->to);
                           });
                         }});
  return sides;
}

}  // namespace

std::vector<Contest> payloads(const Scale& scale) {
  std::vector<Contest> contests;
  for (const Size& size :
       {Size{"64KiB", 64 << 10, 500}, Size{"1MiB", 1 << 20, 50}, Size{"64MiB", 64 << 20, 1}}) {
    contests.push_back({std::string("payload/in/") + size.name, "GB/s", Better::higher,
                        scale.rounds(9), [=] { return into(size); }});
    contests.push_back({std::string("payload/out/") + size.name, "GB/s", Better::higher,
                        scale.rounds(9), [=] { return out_of(size); }});
  }
  return contests;
}

}  // namespace bench
