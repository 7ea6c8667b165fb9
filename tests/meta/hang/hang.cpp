// A test that hangs on purpose, in two threads and in a child, for the test of the watchdog.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "support/watchdog.hpp"

void hang_in_main_thread() { pause(); }
void hang_in_other_thread() { pause(); }
void hang_in_child() { pause(); }

TEST(Hang, OnPurpose) {
  if (fork() == 0) hang_in_child();
  std::thread other(hang_in_other_thread);
  hang_in_main_thread();
  other.join();
}

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  procpool::test::install_watchdog();
  return RUN_ALL_TESTS();
}
