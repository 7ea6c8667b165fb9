#pragma once

// What    The end of what a worker wrote to stderr: a ring of bytes in a page of its own, which
// nobody
//         touches until something is written.
// Writers Any thread of the worker, and copies of it that a task made: each takes its place by one
//         atomic addition, and copies. Lines written at once may mingle here as they may on stderr.
// Order   None: the supervisor looks when the worker is dead or dying, copies once, and takes what
// it
//         finds for nothing but text.
// Death   In between: the last bytes may be missing, or old ones stand in their place.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace procpool::inline v0::shm {

struct StderrTail {
  static constexpr std::size_t size = 4096 - sizeof(std::uint64_t);
  std::atomic<std::uint64_t> written;
  char bytes[size];

  void write(std::string_view text) noexcept {
    std::uint64_t at = written.fetch_add(text.size());
    if (text.size() > size) {
      at += text.size() - size;
      text.remove_prefix(text.size() - size);
    }
    const std::size_t start = at % size;
    const std::size_t first = std::min(text.size(), size - start);
    std::memcpy(bytes + start, text.data(), first);
    std::memcpy(bytes, text.data() + first, text.size() - first);
  }

  /// Oldest first; from the beginning of a line, where there was more.
  std::string copy() const {
    const std::uint64_t end = written;
    if (end <= size) return {bytes, static_cast<std::size_t>(end)};
    const std::size_t start = end % size;
    std::string text(bytes + start, size - start);
    text.append(bytes, start);
    const std::size_t line = text.find('\n');
    return line == std::string::npos ? text : text.substr(line + 1);
  }
};
static_assert(sizeof(StderrTail) == 4096);

}  // namespace procpool::inline v0::shm
