// Which promises are made in some of the ways only, and why. The one place.
#include <fnmatch.h>

#include <algorithm>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

enum Where : unsigned { threads = 1, sequential = 2, local = threads | sequential };

struct Row {
  Where where;
  const char* tests;  // a pattern
  const char* why;
};

constexpr Row not_everywhere[] = {
    {local, "NONE", ""},
};

bool matches(const Row& row, const char* test) { return fnmatch(row.tests, test, 0) == 0; }

unsigned place_of(Way way) {
  if (way.backend == Backend::process) return 0;
  return way.backend == Backend::thread ? threads : sequential;
}

}  // namespace

void Conformance::SetUp() {
  const std::string full = testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string test = full.substr(0, full.find('/'));
  for (const Row& row : not_everywhere) {
    if ((row.where & place_of(GetParam())) != 0 && matches(row, test.c_str())) {
      GTEST_SKIP() << row.why;
    }
  }
}

TEST(NotEverywhere, each_row_names_tests_that_exist) {
  const auto& suites = *testing::UnitTest::GetInstance();
  for (const Row& row : not_everywhere) {
    bool found = false;
    for (int i = 0; i != suites.total_test_suite_count(); ++i) {
      const testing::TestSuite& suite = *suites.GetTestSuite(i);
      for (int j = 0; j != suite.total_test_count(); ++j) {
        const std::string name = suite.GetTestInfo(j)->name();
        found |= matches(row, name.substr(0, name.find('/')).c_str());
      }
    }
    EXPECT_TRUE(found) << row.tests;
    EXPECT_STRNE(row.why, "");
  }
}

}  // namespace procpool::test
