#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// What a display writes of `done` steps, 10 ms each, of `total`, away from a terminal.
std::string lines_of(std::size_t done, std::size_t total) {
  const File file(std::tmpfile(), &std::fclose);
  if (!file) return "no file";
  {
    const Progress show = show_progress("x", file.get());
    for (std::size_t i = 1; i <= done; ++i) show({.done = i, .total = total, .elapsed = i * 10ms});
  }
  std::rewind(file.get());
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

TEST(Progress, AwayFromATerminalThereAreFewLinesAndTheLastOne) {
  EXPECT_EQ(lines_of(1000, 1000),
            "x 1/1000 0% 100/s 10 s left\n"
            "x 501/1000 50% 100/s 5 s left\n"
            "x 1000/1000 100% 100/s in 10 s\n");
}

TEST(Progress, WhatDoesNotKnowItsEndOrDoesNotReachItHasALastLineToo) {
  EXPECT_EQ(lines_of(600, 0),
            "x 1 100/s\n"
            "x 501 100/s\n"
            "x 600 100/s\n");
  EXPECT_EQ(lines_of(2, 3),
            "x 1/3 33% 100/s 1 s left\n"
            "x 2/3 66% 100/s 1 s left\n");
  EXPECT_EQ(lines_of(1, 3), "x 1/3 33% 100/s 1 s left\n") << "not twice";
  EXPECT_EQ(lines_of(0, 3), "") << "nothing was shown";
}

// A terminal of 60 columns. What is written there must fit into the kernel's buffer of 4 KiB.
class Terminal {
 public:
  Terminal() {
    const winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
    int program = -1;
    EXPECT_EQ(openpty(&screen_, &program, nullptr, nullptr, &size), 0);
    program_.reset(fdopen(program, "w"));
    EXPECT_TRUE(program_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { close(screen_); }

  std::FILE* file() const { return program_.get(); }
  // The next so many bytes. They come when the kernel gets to it.
  std::string next(std::size_t size) {
    std::string text;
    for (char byte = 0; text.size() != size && read(screen_, &byte, 1) == 1;) text += byte;
    return text;
  }
  // All that is left, once nobody writes any more.
  std::string rest() {
    program_.reset();
    return next(std::string::npos);
  }

 private:
  int screen_ = -1;
  File program_{nullptr, &std::fclose};
};

TEST(Progress, P_JOB_01_on_a_terminal_one_line_is_drawn_again_and_ends) {
  Terminal terminal;
  const Progress show = show_progress("x", terminal.file());
  for (std::size_t i = 1; i <= 100; ++i) show({.done = i, .total = 100, .elapsed = i * 2ms});
  const auto bar = [](std::size_t done) {
    return "\r" + progress_bar("x", {.done = done, .total = 100, .elapsed = done * 2ms}, 59) + "\x1b[K";
  };
  EXPECT_EQ(terminal.rest(), bar(1) + bar(51) + bar(100) + "\r\n");
}

TEST(Progress, OnATerminalTheLineEndsWithTheDisplay) {
  Terminal terminal;
  const std::string first = "\rx 1 1.0/s\x1b[K";
  {
    Progress show = show_progress("x", terminal.file());
    const Progress copy = show;
    show({.done = 1, .total = 0, .elapsed = 1s});
    show = {};
    EXPECT_EQ(terminal.next(first.size()), first);
    copy({.done = 2, .total = 0, .elapsed = 1s});
  }
  EXPECT_EQ(terminal.rest(), "\rx 2 2.0/s\x1b[K\r\n");
}

}  // namespace
}  // namespace procpool
