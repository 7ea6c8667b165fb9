#pragma once

// The floor of a blocking round trip: two processes, two words in shared memory, a futex wait and a
// futex wake on each side.

#include <sys/types.h>

#include <cstdint>

namespace bench {

class PingPong {
 public:
  PingPong();
  PingPong(const PingPong&) = delete;
  PingPong& operator=(const PingPong&) = delete;
  ~PingPong();

  pid_t pid() const { return child_; }
  /// There and back once.
  void round_trip();

 private:
  struct Words;
  static void answer(Words& words);

  Words* words_;
  pid_t child_;
  std::uint32_t count_ = 0;
};

}  // namespace bench
