// The other file with tasks that look alike (task_identity_test.cpp).
#include <gtest/gtest.h>

namespace wire_test {
namespace {
constexpr int lookalike_base = 2;
}
}  // namespace wire_test
#include "lookalikes.hpp"

namespace wire_test {

Lookalikes lookalikes_elsewhere() { return lookalikes_here(); }

}  // namespace wire_test

namespace {

TEST(TaskIdentity, TheOtherFilesTasksAreItsOwn) {
  EXPECT_EQ(wire_test::lookalikes_here().results, std::vector<int>(8, 2));
}

}  // namespace
