// What the kernel's counters of out-of-memory kills say.
#include <gtest/gtest.h>

#include "os/oom.hpp"

namespace procpool::os {
namespace {

TEST(OomKills, AreFoundAmongOtherCounters) {
  EXPECT_EQ(parse_oom_kills("low 0\nhigh 2\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n"), 2U);
  EXPECT_EQ(parse_oom_kills("oom_kill 18446744073709551615"), 18446744073709551615U);
}

TEST(OomKills, AreNotMadeUp) {
  EXPECT_EQ(parse_oom_kills(""), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom 3\noom_group_kill 1\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom_kill many\n"), std::nullopt);
}

TEST(OomKills, OfThisMachineCanBeAskedFor) { EXPECT_NO_THROW(oom_kills()); }

}  // namespace
}  // namespace procpool::os
