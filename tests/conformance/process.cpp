#include "conformance/process.hpp"

#include <signal.h>
#include <unistd.h>

#include <fstream>

namespace procpool::test {

void P_PROC_01::SetUpTestSuite() {
  Conformance::SetUpTestSuite();
  for (const auto method : {StartMethod::forkserver, StartMethod::fork, StartMethod::spawn}) {
    Process process({.start_method = method}, square, 1);
    process.start();
  }
}

void write_pid(const std::string& path) { std::ofstream(path) << getpid(); }
int read_number(const std::string& path) {
  int number = -1;
  std::ifstream(path) >> number;
  return number;
}
void be_deaf_at(const std::string& bell) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  ring_bell(bell);
  for (;;) pause();
}

INSTANTIATE_TEST_SUITE_P(forkserver, P_PROC_01, testing::Values(Way(StartMethod::forkserver)));
INSTANTIATE_TEST_SUITE_P(fork, P_PROC_01, testing::Values(Way(StartMethod::fork)));
INSTANTIATE_TEST_SUITE_P(spawn, P_PROC_01, testing::Values(Way(StartMethod::spawn)));

}  // namespace procpool::test
