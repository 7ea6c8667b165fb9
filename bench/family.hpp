#pragma once

// What the threads of this program and of all processes below it have done so far.

#include <cstdint>

namespace bench {

struct Activity {
  std::uint64_t switches = 0;     // voluntary: each is the end of a wake-up
  std::uint64_t nanoseconds = 0;  // on a processor
};

/// Of this process without the calling thread, and of every descendant.
Activity family_activity();

}  // namespace bench
