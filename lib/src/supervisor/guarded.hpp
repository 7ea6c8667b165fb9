#pragma once

#include <exception>
#include <string>

#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

/// A turn that runs out of memory or descriptors half way leaves a state that nobody can vouch for:
/// the pool is broken then, every task ends, and no thread but the failed call's own is involved.
template <class Step>
void Supervisor::guarded(Step step) {
  try {
    step();
  } catch (const std::exception& error) {
    break_pool(std::string("the supervisor could not go on: ") + error.what());
  }
  saturated_ = ledger_.front() != nullptr;
}

}  // namespace procpool::inline v0::supervisor
