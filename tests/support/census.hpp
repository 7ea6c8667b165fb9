// Nothing is left behind: a fixture that counts what the process holds before and after a test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace procpool::test {

// What a process holds, each with a description for the failure's text.
struct Holdings {
  std::map<int, std::string> descriptors;  // number → what it refers to
  std::map<int, std::string> processes;    // descendants that are no zombies: pid → name
  std::set<std::string> memory;            // lines of /proc/self/maps that name a memfd

  static Holdings now();
};

// A test that leaves more open descriptors, live descendants or mapped memfds behind than it found
// fails, and says which. It looks before the members of a derived fixture are made and after they
// are destroyed. What a program keeps for its whole life on purpose must be there before: make it
// in SetUpTestSuite. A process that was killed is given a second to end.
class Census : public testing::Test {
 protected:
  ~Census() override;

 private:
  const Holdings before_ = Holdings::now();
};

}  // namespace procpool::test
