// Both ends of a result ring in one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "shm/ring.hpp"

namespace procpool::shm {

/// Both ends over a buffer whose bounds the address sanitizer knows.
struct Ends {
  explicit Ends(std::size_t size) : bytes(size) {}

  std::vector<std::byte> bytes;
  Word64 tail{0};
  Word64 head{0};
  RingWriter<Word64> writer{bytes, tail, head};
  RingReader<Word64> reader{bytes, tail, head};
  RingReader<Word64>::Record record;

  bool put(std::uint32_t kind, std::uint32_t size) {
    const auto room = writer.reserve(size);
    if (room.empty()) return false;
    std::memset(room.data(), static_cast<int>(kind), room.size());
    writer.commit(kind, size);
    return true;
  }
  bool got(std::uint32_t kind, std::uint32_t size) {
    if (reader.peek(record) != Look::record) return false;
    bool same = record.kind == kind && record.payload.size() == size;
    for (const std::byte each : record.payload) same = same && each == std::byte(kind);
    reader.pop();
    reader.publish();
    return same;
  }
  /// Both ends at `position` (a multiple of 8, at least 16), the ring empty.
  void advance(std::size_t position) {
    for (std::size_t at = 0; at != position;) {
      const std::size_t step = position - at == 24 ? 24 : 16;
      ASSERT_TRUE(put(9, static_cast<std::uint32_t>(step - 8)));
      ASSERT_TRUE(got(9, static_cast<std::uint32_t>(step - 8)));
      at += step;
    }
  }
  RecordHeader header(std::size_t at) const {
    RecordHeader header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    return header;
  }
  void place(std::size_t at, RecordHeader header) {
    std::memcpy(bytes.data() + at, &header, sizeof header);
  }
};

}  // namespace procpool::shm
