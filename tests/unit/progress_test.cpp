#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <procpool/progress.hpp>

#include "pool/progress_line.hpp"

namespace procpool {
namespace {

using namespace std::chrono_literals;

TEST(Progress, P_JOB_01_a_line_has_count_rate_and_what_is_left) {
  EXPECT_EQ(progress_line("scenes", {.done = 120, .total = 1000, .elapsed = 4s}),
            "scenes 120/1000 12% 30.0/s 30 s left");
  EXPECT_EQ(progress_line("", {.done = 600, .total = 6600, .elapsed = 60s}),
            "600/6600 9% 10.0/s 10:00 min left");
  EXPECT_EQ(progress_line("", {.done = 1, .total = 7202, .elapsed = 1s}),
            "1/7202 0% 1.0/s 2:00 h left");
}

TEST(Progress, ALineAtTheStartAndAtTheEndAndOfAnEndlessRange) {
  EXPECT_EQ(progress_line("x", {.done = 0, .total = 10, .elapsed = 0s}), "x 0/10 0%");
  EXPECT_EQ(progress_line("x", {.done = 10, .total = 10, .elapsed = 2s}),
            "x 10/10 100% 5.0/s in 2 s");
  EXPECT_EQ(progress_line("x", {.done = 5000, .total = 0, .elapsed = 2s}), "x 5000 2500/s");
}

TEST(Progress, ABarFillsTheWidthThatThereIs) {
  const ProgressReport half{.done = 5, .total = 10, .elapsed = 1s};
  const std::string bar = progress_bar("x", half, 50);
  EXPECT_EQ(bar.size(), 50u);
  const auto full = static_cast<std::size_t>(std::count(bar.begin(), bar.end(), '#'));
  const std::size_t room = bar.find(']') - bar.find('[') - 1;
  EXPECT_EQ(full, room / 2);
  EXPECT_EQ(progress_bar("x", half, 20), progress_line("x", half)) << "too narrow for a bar";
}

TEST(Progress, AwayFromATerminalThereAreFewLinesAndTheLastOne) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  ASSERT_TRUE(file);
  const Progress show = show_progress("x", file.get());
  for (std::size_t i = 1; i <= 1000; ++i) show({.done = i, .total = 1000, .elapsed = i * 10ms});
  std::rewind(file.get());
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  EXPECT_EQ(text,
            "x 1/1000 0% 100/s 10 s left\n"
            "x 501/1000 50% 100/s 5 s left\n"
            "x 1000/1000 100% 100/s in 10 s\n");
}

}  // namespace
}  // namespace procpool
