// What the example of downloads says of those that fail. The server is the test's.
#include "loops/sample_pages.hpp"
#include "program.hpp"

namespace procpool::test {
namespace {

class Downloads : public Example {};

TEST_F(Downloads, P_SEED_21_failures_are_named) {
  const loops::SamplePages pages(2);
  const Ended ended = run(PROCPOOL_LOOPS_DIR "/downloads",
                          {pages.url(2), pages.url(3), "http://127.0.0.1:1/1", "ftp://nowhere"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.out, pages.url(2) + ": 2000 bytes\n");
  EXPECT_EQ(count(ended.err, pages.url(3) + ": Not Found\n"), 1U) << ended.err;
  EXPECT_EQ(count(ended.err, "http://127.0.0.1:1/1: "), 1U) << ended.err;
  EXPECT_EQ(count(ended.err, "ftp://nowhere: not http://host:port/path\n"), 1U) << ended.err;
  EXPECT_EQ(count(ended.err, "\n"), 3U) << ended.err;
}

}  // namespace
}  // namespace procpool::test
