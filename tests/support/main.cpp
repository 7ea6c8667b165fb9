// main of every test program that makes pools. Workers are this program executed again, so init
// comes first: in a worker it serves and does not return.
#include <gtest/gtest.h>

#include <procpool/procpool.hpp>

#include "support/watchdog.hpp"

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  procpool::test::install_watchdog();
  return RUN_ALL_TESTS();
}
