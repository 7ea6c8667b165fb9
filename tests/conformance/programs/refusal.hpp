// Whether a pool can be made, under whatever limit the program has set itself.
#pragma once

#include <procpool/procpool.hpp>

#include <string>

inline int square(int x) { return x * x; }

// Empty: the pool was made and ran a task.
inline std::string refusal(procpool::StartMethod method) {
  try {
    const procpool::Pool pool({.processes = 2, .start_method = method});
    if (pool.apply(square, 4) != 16) return "wrong";
    return {};
  } catch (const procpool::PoolBroken& error) {
    return error.what();
  }
}
