// The main job, on the real files of the icon theme.
#include <algorithm>
#include <initializer_list>
#include <ostream>
#include <sstream>

#include "program.hpp"

namespace procpool::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class Thumbs : public Example {
 protected:
  // Few files, few conversions: what takes long is tested by the demo.
  Ended thumbs(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--limit", "400", "--convert", "30", "--seed", "1",
                                         "--verbose", "--out", path("sheet.png")});
    return run(PROCPOOL_EXAMPLE_THUMBS, arguments);
  }
};

void expect_all_is_well(const Ended& ended) {
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  EXPECT_EQ(count(ended.out, "every file is accounted for"), 1u) << ended.out;
  EXPECT_EQ(count(ended.out, "identical to the serial sheet, byte for byte"), 1u) << ended.out;
}

// The lines of the report that have all of these words.
std::size_t rows(const std::string& report, std::initializer_list<const char*> words) {
  std::istringstream lines(report);
  std::size_t found = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto is_in_line = [&](const char* word) { return line.find(word) != line.npos; };
    if (std::ranges::all_of(words, is_in_line)) ++found;
  }
  return found;
}

class ThumbsBy : public Thumbs, public testing::WithParamInterface<const char*> {};

TEST_P(ThumbsBy, EveryFileIsDoneAndTheSheetIsTheSerialOne) {
  const Ended ended = thumbs({"--start-method", GetParam()});
  expect_all_is_well(ended);
  EXPECT_EQ(rows(ended.out, {"done", "430"}), 1u) << ended.out;
  EXPECT_EQ(bytes("sheet.png").substr(1, 3), "PNG");
}

// Every kind of damage twice. The naive readers (TGA, PPM) are killed by theirs, by the signals
// that belong to it; the libraries refuse theirs; and the good files are as good as ever.
TEST_P(ThumbsBy, DamageIsARowOfTheReport) {
  const Ended ended = thumbs({"--start-method", GetParam(), "--damage", "24"});
  expect_all_is_well(ended);
  EXPECT_EQ(rows(ended.out, {"DecodeError", "truncated.png", "libpng: "}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"DecodeError", "absurd-size.png", "libpng: "}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"DecodeError", "truncated.jpg", "libjpeg-turbo: "}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"UnknownFormat", "no-signature.png", "begins with"}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"UnknownFormat", "empty.png", "the file is empty"}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"absurd-depth", "SIGABRT", "attempt 4"}), 4u) << ended.out;
  // A sanitizer sees the wild write before the processor does, reports it and ends the process in
  // its own way: by SIGABRT or by an exit code. It takes the worker along all the same.
  const auto wild_writes =
      rows(ended.out, {"absurd-size", kSanitized ? "" : "SIGSEGV", "worker ", "attempt 4"});
  EXPECT_EQ(wild_writes, 4u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"killed their worker", " 8 "}), 1u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"DecodeError", "flipped-bytes.png", "libpng: "}), 2u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"DecodeError", "absurd-size.jpg", "libjpeg-turbo: "}), 2u)
      << ended.out;
  // Of flipped bytes in a photograph the library may make a picture, which is done then.
  const auto photographs = rows(ended.out, {"DecodeError", "flipped-bytes.jpg", "libjpeg-turbo: "});
  EXPECT_EQ(rows(ended.out, {"flipped-bytes.jpg"}), photographs) << ended.out;
  EXPECT_EQ(rows(ended.out, {"refused", std::to_string(14 + photographs).c_str()}), 1u)
      << ended.out;
  EXPECT_EQ(rows(ended.out, {"done", std::to_string(432 - photographs).c_str()}), 1u) << ended.out;
}

TEST_P(ThumbsBy, ChaosIsNotSeenInTheSheet) {
  const Ended ended = thumbs({"--start-method", GetParam(), "--workers", "3", "--chaos", "10"});
  expect_all_is_well(ended);
  // Fewer than ten where the work is done before ten workers could be replaced.
  const std::size_t kills = rows(ended.err, {"chaos: SIGKILL to worker"});
  EXPECT_GE(kills, 1u) << ended.err;
  EXPECT_LE(kills, 10u) << ended.err;
  EXPECT_EQ(count(ended.out, "SIGKILL to " + std::to_string(kills) + " worker"), 1u) << ended.out;
  EXPECT_EQ(rows(ended.out, {"done", "430"}), 1u) << ended.out;
}

INSTANTIATE_TEST_SUITE_P(StartMethods, ThumbsBy, testing::Values("forkserver", "fork", "spawn"),
                         [](const auto& method) { return std::string(method.param); });

TEST_F(Thumbs, DamageAndChaosTogether) {
  const Ended ended = thumbs({"--workers", "3", "--damage", "24", "--chaos", "10"});
  expect_all_is_well(ended);
  EXPECT_EQ(rows(ended.out, {"3 of 3 workers alive at the end"}), 1u) << ended.out;
}

TEST_F(Thumbs, NumberOfWorkersIsNotSeenInTheSheet) {
  for (const char* workers : {"1", "4"}) {
    const Ended ended =
        thumbs({"--damage", "12", "--no-serial", "--workers", workers, "--out", path(workers)});
    ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  }
  EXPECT_EQ(bytes("1"), bytes("4"));
  EXPECT_EQ(bytes("sheet.png"), "") << "of two --out the last counts";
}

TEST_F(Thumbs, AFileThatNobodyKnowsIsARow) {
  const Ended ended = thumbs({"/etc/passwd", "/usr/share/icons/Adwaita/16x16"});
  expect_all_is_well(ended);
  EXPECT_EQ(rows(ended.out, {"/etc/passwd", "UnknownFormat", "no decoder knows"}), 1u) << ended.out;
}

struct Bad {
  const char* name;
  std::vector<std::string> arguments;
  const char* line;
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class ThumbsRefuses : public Example, public testing::WithParamInterface<Bad> {};

TEST_P(ThumbsRefuses, WithOneLineAndStatusTwo) {
  const Ended ended = run(PROCPOOL_EXAMPLE_THUMBS, GetParam().arguments);
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(count(ended.err, "\n"), 1u) << ended.err;
  EXPECT_TRUE(ended.err.starts_with("thumbs: ")) << ended.err;
  EXPECT_EQ(count(ended.err, GetParam().line), 1u) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(
    Options, ThumbsRefuses,
    testing::Values(
        Bad{"NoWorkers", {"--workers", "0"}, "'0' is not a whole number from 1 to 1024"},
        Bad{"AbsurdWorkers", {"--workers", "99999999999999999999"}, "is not a whole number"},
        Bad{"NegativeDamage", {"--damage", "-1"}, "'-1' is not a whole number from 0 to"},
        Bad{"StartMethod", {"--start-method", "magic"}, "write fork, forkserver or spawn"},
        Bad{"NoValue", {"--seed"}, "the value is missing"},
        Bad{"NoSuchOption", {"--colour"}, "there is no option '--colour'"},
        Bad{"NoSuchDirectory", {"/nowhere"}, "there is no file or directory '/nowhere'"},
        Bad{"OutIsADirectory", {"--out", "/"}, "is a directory"},
        Bad{"OutIsNowhere", {"--out", "/nowhere/x.png"}, "there is no directory '/nowhere'"}),
    [](const auto& bad) { return std::string(bad.param.name); });

}  // namespace
}  // namespace procpool::test
