// What a task that runs for longer than its soft_timeout is reported with.
#pragma once

#include <string>

#include "conformance/conformance.hpp"
#include "conformance/ear.hpp"

namespace procpool::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool has_stacks = false;  // its runtime calls handlers later, and from elsewhere
#else
inline constexpr bool has_stacks = true;
#endif

inline constexpr CancelOptions at_once{.stop_grace = 0ms, .term_grace = 0ms};

inline std::string told_of(Ear& ear, std::size_t index = 0) {
  EXPECT_TRUE(comes_true([&] {
    return ear.has([&](const TaskUpdate& update) { return update.index == index; });
  }));
  for (const TaskUpdate& update : ear.heard()) {
    if (update.index == index) return update.log;
  }
  return {};
}

// Until it has ended everything that is to be heard may not have been.
inline void finish(Pool& pool) {
  pool.close();
  pool.join();
}

// A macro, so that a failure names its line.
#define EXPECT_SAYS(text, words) EXPECT_TRUE(contains(text, words)) << (text)

}  // namespace procpool::test
