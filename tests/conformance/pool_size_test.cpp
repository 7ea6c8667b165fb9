// How many workers a pool has.
#include <limits>
#include <set>
#include <string>

#include "conformance/conformance.hpp"
#include "conformance/programs.hpp"

namespace procpool::test {
namespace {

TEST_P(Conformance, P_POOL_01_a_count_below_one_or_absurd_is_misuse) {
  const auto refusal = [&](int count) { return error_of<Misuse>([&] { make_pool(count); }); };
  for (const int count :
       {0, -1, std::numeric_limits<int>::min(), 4097, std::numeric_limits<int>::max()}) {
    EXPECT_NE(refusal(count), "") << count;
  }
  EXPECT_TRUE(contains(refusal(0), "Number of processes must be at least 1")) << refusal(0);
  EXPECT_TRUE(contains(refusal(-1), "Number of processes must be at least 1")) << refusal(-1);
  EXPECT_THROW(Pool(std::numeric_limits<std::size_t>::max()), Misuse);
  EXPECT_THROW(Pool(std::numeric_limits<long long>::min()), Misuse);
  EXPECT_THROW(Pool(static_cast<unsigned char>(0)), Misuse);
}

TEST_P(Conformance, P_POOL_01_the_default_count_is_the_usable_cpus) {
  const Pool pool = make_pool(PoolOptions{});
  EXPECT_EQ(pool.processes(), GetParam().backend == Backend::sequential ? 1 : usable_cpus());
  if (GetParam().backend != Backend::process) return;
  EXPECT_EQ(pool.pids().size(), static_cast<std::size_t>(usable_cpus()));
}

// "4 4\n": places, and workers that are there.
std::string processes_of(const std::string& environment, StartMethod method,
                         const std::string& argument = {}) {
  const auto [text, status] = run("env -u PROCPOOL_PROCESSES " + environment + " " +
                                  program("processes") + " " + name_of(method) + " " + argument);
  EXPECT_EQ(status, 0) << text;
  return text;
}

TEST_P(Conformance, P_POOL_02_the_environment_lowers_the_count_and_never_raises_it) {
  const std::string most = processes_of("", method());
  EXPECT_EQ(processes_of("PROCPOOL_PROCESSES=1", method()), "1 1\n");
  for (const char* ignored : {"100000", "0", "-1", "many", "''"}) {
    EXPECT_EQ(processes_of(std::string("PROCPOOL_PROCESSES=") + ignored, method()), most)
        << ignored;
  }
}

TEST_P(Conformance, P_POOL_02_the_affinity_mask_bounds_the_count) {
  EXPECT_EQ(processes_of("", method(), "one_cpu"), "1 1\n");
  EXPECT_EQ(processes_of("PROCPOOL_PROCESSES=2", method(), "one_cpu"), "1 1\n");
}

TEST_P(Conformance, P_POOL_10_two_hundred_workers) {
  const Pool pool = make_pool(200);
  std::vector<int> expected = first_numbers(1000);
  for (int& x : expected) x *= x;
  EXPECT_EQ(pool.map(square, first_numbers(1000), {.chunksize = 1}), expected);
  const auto pids = pool.pids();
  EXPECT_EQ(std::set<pid_t>(pids.begin(), pids.end()).size(), 200U);
}

}  // namespace
}  // namespace procpool::test
