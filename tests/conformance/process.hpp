// What the tests of Process share.
#pragma once

#include <procpool/process.hpp>

#include <string>
#include <utility>

#include "conformance/conformance.hpp"

namespace procpool::test {

// Every test runs under each start method. What a program keeps for all its Processes is made before
// the census.
class P_PROC_01 : public Conformance {
 protected:
  static void SetUpTestSuite();

  template <class F, class... Args>
  Process make(F&& f, Args&&... args) const {
    return Process({.start_method = method()}, std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class F, class... Args>
  Process started(F&& f, Args&&... args) const {
    Process process = make(std::forward<F>(f), std::forward<Args>(args)...);
    process.start();
    return process;
  }
};

// The exit code, once there is one.
inline int end_of(Process& process) {
  process.join();
  return process.exit_code().value();
}

void write_pid(const std::string& path);
int read_number(const std::string& path);
void be_deaf_at(const std::string& bell);  // rings, and waits for ever, whatever signal comes

}  // namespace procpool::test
