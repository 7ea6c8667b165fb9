// main of the test programs that link some layers of the library only, and so cannot make a pool.
#include <gtest/gtest.h>

#include "support/watchdog.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  procpool::test::install_watchdog();
  return RUN_ALL_TESTS();
}
