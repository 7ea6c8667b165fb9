// When a worker may be started again (supervisor/healing.hpp).
#include <gtest/gtest.h>

#include "supervisor/healing.hpp"

namespace procpool::supervisor {
namespace {

using namespace std::chrono_literals;

struct Row {
  unsigned failures;
  std::optional<std::chrono::milliseconds> alone;
  std::optional<std::chrono::milliseconds> others_work;
};

TEST(Healing, WaitsLongerAfterEachFailureAndGivesUpOnlyAlone) {
  const Row rows[] = {
      {0, 0ms, 0ms},           {1, 10ms, 10ms},          {2, 20ms, 20ms},
      {3, 40ms, 40ms},         {4, 80ms, 80ms},          {5, std::nullopt, 160ms},
      {6, std::nullopt, 320ms}, {7, std::nullopt, 640ms}, {8, std::nullopt, 1000ms},
      {9, std::nullopt, 1000ms}, {4'000'000'000, std::nullopt, 1000ms},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(next_start({.failures = row.failures}, false), row.alone) << row.failures;
    EXPECT_EQ(next_start({.failures = row.failures}, true), row.others_work) << row.failures;
  }
}

TEST(Healing, OneWorkerThatComesUpForgetsTheFailures) {
  StartRecord record;
  for (unsigned i = 0; i != default_start_failures; ++i) record.failed();
  EXPECT_EQ(next_start(record, false), std::nullopt);
  record.succeeded();
  EXPECT_EQ(next_start(record, false), 0ms);
}

}  // namespace
}  // namespace procpool::supervisor
