// Python's loops in C++ (examples/loops, docs/from-python.md): what each program prints.
#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "program.hpp"

namespace procpool::test {
namespace {

using Lines = std::vector<std::string>;

class Loops : public Example {
 protected:
  // The lines that the program prints. It ends well and complains of nothing.
  Lines lines_of(const std::string& name) {
    const Ended ended = run(PROCPOOL_LOOPS_DIR "/" + name, {});
    EXPECT_EQ(ended.status, 0) << "signal " << ended.signal << ", " << ended.err;
    EXPECT_EQ(ended.err, "");
    Lines lines;
    std::istringstream in(ended.out);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
};

// A line for each of first … last - 1.
template <class F>
Lines for_each(int first, int last, F line) {
  Lines lines;
  for (int i = first; i < last; ++i) lines.push_back(line(i));
  return lines;
}

std::string square(int x) { return std::to_string(x * x); }

// For programs whose lines come in any order.
Lines sorted(Lines lines) {
  std::ranges::sort(lines);
  return lines;
}

bool matches(const std::string& line, const std::string& pattern) {
  return std::regex_match(line, std::regex(pattern));
}

TEST_F(Loops, P_SEED_01_factorials) {
  EXPECT_EQ(lines_of("factorials"),
            (Lines{"1", "1", "2", "6", "24", "120", "720", "5040", "40320", "362880"}));
}

TEST_F(Loops, P_SEED_02_squares_in_threads) {
  EXPECT_EQ(sorted(lines_of("squares_in_threads")), sorted({"1", "4", "9", "16", "25"}));
}

TEST_F(Loops, P_SEED_03_million_squares) {
  const Lines lines = lines_of("million_squares");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(matches(lines[0], "sequential: \\d+\\.\\d{3} s")) << lines[0];
  EXPECT_TRUE(matches(lines[1], "parallel: \\d+\\.\\d{3} s")) << lines[1];
  EXPECT_EQ(lines[2], "1000000 squares, the same");
}

// Of lines "task … in `where` …", one for each task: each has a place of its own.
void expect_twenty_places(const Lines& lines, const std::string& where) {
  const std::regex line("(task \\d+) in " + where + " (\\d+)");
  Lines tasks;
  std::set<std::string> places;
  for (const std::string& each : lines) {
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(each, parts, line)) << each;
    tasks.push_back(parts[1]);
    places.insert(parts[2]);
  }
  EXPECT_EQ(sorted(tasks),
            sorted(for_each(0, 20, [](int i) { return "task " + std::to_string(i); })));
  EXPECT_EQ(places.size(), 20U);
}

TEST_F(Loops, P_SEED_04_twenty_threads) {
  expect_twenty_places(lines_of("twenty_threads"), "thread");
}

TEST_F(Loops, P_SEED_07_twenty_processes) {
  expect_twenty_places(lines_of("twenty_processes"), "process");
}

// 50 squares in any order, then all of them in order.
void expect_squares_twice(const Lines& lines) {
  ASSERT_EQ(lines.size(), 100U);
  const auto line = [](std::string before) {
    return [before](int x) { return before + square(x); };
  };
  EXPECT_EQ(sorted({lines.begin(), lines.begin() + 50}), sorted(for_each(0, 50, line("done: "))));
  EXPECT_EQ(Lines(lines.begin() + 50, lines.end()), for_each(0, 50, line("in order: ")));
}

TEST_F(Loops, P_SEED_06_thread_executor) { expect_squares_twice(lines_of("thread_executor")); }

TEST_F(Loops, P_SEED_09_executor_submit) { expect_squares_twice(lines_of("executor_submit")); }

std::string cube(int x) { return std::to_string(x * x * x); }

TEST_F(Loops, P_SEED_05_thread_pool_map) {
  EXPECT_EQ(lines_of("thread_pool_map"), for_each(0, 100, cube));
}

TEST_F(Loops, P_SEED_08_pool_map) { EXPECT_EQ(lines_of("pool_map"), for_each(0, 100, cube)); }

TEST_F(Loops, P_SEED_10_executor_map) {
  EXPECT_EQ(lines_of("executor_map"), (Lines{"5 squared is 25", "3 squared is 9", "1 squared is 1",
                                             "4 squared is 16", "2 squared is 4"}));
}

TEST_F(Loops, P_SEED_11_waits_in_threads) {
  Lines lines = lines_of("waits_in_threads");
  ASSERT_EQ(lines.size(), 9U);
  std::smatch seconds;
  ASSERT_TRUE(std::regex_match(lines.back(), seconds, std::regex("4 waits of 0\\.5 s: (.*) s")));
  EXPECT_GE(std::stod(seconds[1]), 0.5);
  EXPECT_LT(std::stod(seconds[1]), 4 * 0.5);
  lines.pop_back();
  for (int i = 0; i < 4; ++i) {
    const std::string task = "task " + std::to_string(i);
    const auto begun = std::ranges::find(lines, task + " waits");
    EXPECT_NE(std::find(begun, lines.end(), task + " is done"), lines.end()) << i;
  }
}

TEST_F(Loops, P_SEED_12_six_squares) { EXPECT_EQ(lines_of("six_squares"), for_each(0, 6, square)); }

TEST_F(Loops, P_SEED_13_appending_threads) {
  EXPECT_EQ(lines_of("appending_threads"), for_each(0, 10, square));
}

TEST_F(Loops, P_SEED_14_parallel_delayed) {
  EXPECT_EQ(lines_of("parallel_delayed"), for_each(0, 10, square));
}

TEST_F(Loops, P_SEED_15_gather_coroutines) {
  EXPECT_EQ(lines_of("gather_coroutines"),
            (Lines{"4 primes below 10", "25 primes below 100", "168 primes below 1000",
                   "1229 primes below 10000", "9592 primes below 100000"}));
}

TEST_F(Loops, P_SEED_16_remote_get) { EXPECT_EQ(lines_of("remote_get"), for_each(0, 4, square)); }

TEST_F(Loops, P_SEED_17_counter_race) {
  const Lines lines = lines_of("counter_race");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "expected: 2000000");
  ASSERT_TRUE(matches(lines[1], "without a lock: \\d+")) << lines[1];
  EXPECT_LT(std::stoi(lines[1].substr(lines[1].find(':') + 1)), 2'000'000);
  EXPECT_EQ(lines[2], "with a lock: 2000000");
}

TEST_F(Loops, P_SEED_18_main_guard) {
  EXPECT_EQ(lines_of("main_guard"), (Lines{"main: the program", "task: a worker"}));
}

TEST_F(Loops, P_SEED_19_exceptions) {
  EXPECT_EQ(lines_of("exceptions"),
            (Lines{"at the result: division by zero", "handled inside the task: no number"}));
}

TEST_F(Loops, P_SEED_20_json_files) {
  const auto sum = [](int i) { return std::to_string(i) + ".json: " + std::to_string(i * 5050); };
  Lines expected = for_each(1, 9, sum);
  expected.push_back("total: 181800");
  EXPECT_EQ(lines_of("json_files"), expected);
}

TEST_F(Loops, P_SEED_20_json_files_bad_ones_are_named) {
  const Ended ended = run(PROCPOOL_LOOPS_DIR "/json_files", {path("none.json"), "/dev/null"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(ended.out, "total: 0\n");
  EXPECT_EQ(count(ended.err, "none.json: cannot be opened\n"), 1U) << ended.err;
  EXPECT_EQ(count(ended.err, "null: "), 1U) << ended.err;
  EXPECT_EQ(count(ended.err, "\n"), 2U) << ended.err;
}

TEST_F(Loops, P_SEED_21_downloads) {
  const Lines lines = lines_of("downloads");
  ASSERT_EQ(lines.size(), 8U);
  for (std::size_t i = 1; i <= 8; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_TRUE(matches(lines[i - 1],
                        "http://127\\.0\\.0\\.1:\\d+/" + number + ": " + number + "000 bytes"))
        << lines[i - 1];
  }
}

TEST_F(Loops, P_SEED_22_pool_apply) { EXPECT_EQ(lines_of("pool_apply"), for_each(0, 5, square)); }

TEST_F(Loops, P_SEED_23_parallel_scope) {
  EXPECT_EQ(lines_of("parallel_scope"),
            for_each(0, 10, [](int x) { return std::to_string(x * x / 2); }));
}

}  // namespace
}  // namespace procpool::test
