#include "program.hpp"

namespace procpool::test {
namespace {

class Mandelbrot : public Example, public testing::WithParamInterface<const char*> {};

TEST_P(Mandelbrot, PaintsInWorkersWhatItPaintsAlone) {
  const Ended ended = run(PROCPOOL_EXAMPLE_MANDELBROT,
                          {"--start-method", GetParam(), "--width", "200", "--height", "150",
                           "--iterations", "300", "--workers", "3", "--out", path("it.png")});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(count(ended.out, "identical to the serial ones"), 1u) << ended.out;
  EXPECT_EQ(count(ended.out, "in 3 workers"), 1u) << ended.out;
  EXPECT_EQ(bytes("it.png").substr(1, 3), "PNG");
}

INSTANTIATE_TEST_SUITE_P(By, Mandelbrot, testing::Values("forkserver", "fork", "spawn"),
                         [](const auto& method) { return std::string(method.param); });

using MandelbrotOptions = Example;

TEST_F(MandelbrotOptions, WorkersAreNotSeenInThePicture) {
  for (const char* workers : {"1", "4"}) {
    const Ended ended = run(PROCPOOL_EXAMPLE_MANDELBROT,
                            {"--width", "200", "--height", "150", "--iterations", "300",
                             "--no-serial", "--workers", workers, "--out", path(workers)});
    ASSERT_EQ(ended.status, 0) << ended.err;
  }
  EXPECT_EQ(bytes("1"), bytes("4"));
}

// A bar on a terminal, drawn again and again in its line; plain lines elsewhere.
TEST_F(MandelbrotOptions, ProgressIsABarOnATerminal) {
  const std::vector<std::string> arguments{"--width", "200", "--height", "150", "--iterations", "300",
                                           "--no-serial", "--out", path("it.png")};
  const Ended bar = run_on_terminal(PROCPOOL_EXAMPLE_MANDELBROT, arguments);
  EXPECT_EQ(bar.status, 0) << bar.err;
  EXPECT_TRUE(bar.err.starts_with("\rin workers [")) << bar.err;
  EXPECT_EQ(count(bar.err, "100%"), 1U) << bar.err;
  EXPECT_TRUE(bar.err.ends_with("\x1b[K\r\n")) << bar.err;
  EXPECT_EQ(count(bar.err, "\n"), 1U) << bar.err;
  const Ended lines = run(PROCPOOL_EXAMPLE_MANDELBROT, arguments);
  EXPECT_EQ(lines.status, 0) << lines.err;
  EXPECT_TRUE(lines.err.starts_with("in workers 1/")) << lines.err;
  EXPECT_EQ(count(lines.err, "\r"), 0U) << lines.err;
  EXPECT_EQ(count(lines.err, "100%"), 1U) << lines.err;
}

TEST_F(MandelbrotOptions, ABadOneGetsOneLine) {
  const Ended ended = run(PROCPOOL_EXAMPLE_MANDELBROT, {"--iterations", "0"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(count(ended.err, "\n"), 1u) << ended.err;
  EXPECT_EQ(count(ended.err, "'0' is not a whole number from 1 to"), 1u) << ended.err;
}

}  // namespace
}  // namespace procpool::test
