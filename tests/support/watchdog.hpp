// A test that hangs is a failure that shows where. While a test runs, a thread waits for its end;
// when that is late it prints the name of the test and the stacks of all threads of this process
// and of every descendant, kills the descendants and aborts.
#pragma once

namespace procpool::test {

// Watches every test of this program, through a GoogleTest listener. The limit is the environment's
// PROCPOOL_TEST_TIMEOUT in seconds; without one, or with 0 (for a debugger), nothing is watched.
void install_watchdog();

}  // namespace procpool::test
