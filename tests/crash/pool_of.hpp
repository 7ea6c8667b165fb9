// Pools of every start method, and their processes.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include <procpool/procpool.hpp>

#include "crash/ways.hpp"
#include "support/census.hpp"

namespace procpool::test {

inline PoolOptions options_of(StartMethod method, int processes) {
  PoolOptions options;
  options.processes = processes;
  options.start_method = method;
  return options;
}

/// A test for each start method that leaves nothing behind.
class OfEachMethod : public Census, public testing::WithParamInterface<StartMethod> {
 protected:
  static Pool pool_of(int processes) { return Pool(options_of(GetParam(), processes)); }
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;  // the handlers of crashes are the sanitizer's
#else
inline constexpr bool sanitized = false;
#endif

/// One of what the library's own handlers of crashes tell.
class OfOwnHandlers : public OfEachMethod {
 protected:
  void SetUp() override {
    OfEachMethod::SetUp();
    if (sanitized) GTEST_SKIP() << "a sanitizer has its own handlers of crashes";
  }
};

inline std::string method_name(const testing::TestParamInfo<StartMethod>& info) {
  return name_of(info.param);
}

/// SIGKILL, but only to a process that is a live worker (or template) of a descendant of ours.
/// False: it is gone.
bool kill_worker(pid_t pid);
/// Any other signal, likewise.
bool signal_worker(pid_t pid, int signal);
bool kill_template();
/// The template process of the one pool there is; 0: none.
pid_t template_pid();

}  // namespace procpool::test
