// The program that README.md shows.
#include "program.hpp"

namespace procpool::test {
namespace {

using Hello = Example;

TEST_F(Hello, PrintsTheSquares) {
  const Ended ended = run(PROCPOOL_EXAMPLE_HELLO, {});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(ended.out, "1\n4\n9\n");
  EXPECT_EQ(ended.err, "");
}

}  // namespace
}  // namespace procpool::test
