// Large calls, and what memory there is for them.
#pragma once

#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "fake_pool.hpp"

namespace procpool::test {

// Calls of `large_bytes`, each its number again and again, encoded where calls are.
struct LargeCall final : detail::Node {
  LargeCall(supervisor::Supervisor& pool, std::uint64_t number, std::uint32_t retries_left) {
    descriptor = &number_task;
    retries = retries_left;
    detail::CallRoom room = pool.room_for_call(large_bytes, false);
    for (std::size_t at = 0; at + sizeof number <= large_bytes; at += sizeof number) {
      std::memcpy(room.bytes.data() + at, &number, sizeof number);
    }
    more().slab = room.keeper;
    payload.lend(room.bytes.first(large_bytes), std::move(room.keeper));
  }
};

// Memories of that name, however often they are mapped (here both ends are one process).
inline std::set<std::string> memories(const std::string& name) {
  std::set<std::string> inodes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:" + name) == std::string::npos) continue;
    inodes.insert(line.substr(0, line.find("/memfd:")).substr(line.find(' ')));
  }
  return inodes;
}

// Pages that such memories have.
inline std::uint64_t resident(const std::string& name) {
  std::uint64_t sum = 0;
  bool inside = false;
  std::ifstream maps("/proc/self/smaps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("-") < line.find(" ")) inside = line.find("memfd:" + name) != std::string::npos;
    if (inside && line.starts_with("Rss:")) sum += std::stoull(line.substr(4));
  }
  return sum;
}

}  // namespace procpool::test
