// Facts about the machine: processors, quotas, limits, the command line.
#include "os/host.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <filesystem>
#include <fstream>

#include "os/cgroup.hpp"
#include "os_support.hpp"
#include "support/census.hpp"

namespace {

using namespace procpool;
using test::holds_in_child;
using test::require;
namespace fs = std::filesystem;

class OsHost : public test::Census {
 protected:
  OsHost() { fs::create_directories(root_); }
  ~OsHost() override { fs::remove_all(root_); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::optional<double> quota(const char* directory, int version) {
    return os::cpu_quota({root_ / directory, root_, version});
  }

  const fs::path root_ = fs::path(testing::TempDir()) / ("os_host_" + std::to_string(::getpid()));
};

TEST_F(OsHost, AffinityBoundsTheProcessors) {
  EXPECT_GE(os::affinity_cpus(), os::usable_cpus());
  EXPECT_GE(os::usable_cpus(), 1);
  EXPECT_TRUE(holds_in_child([] {
    cpu_set_t one;
    require(::sched_getaffinity(0, sizeof one, &one) == 0, "sched_getaffinity");
    int first = 0;
    while (!CPU_ISSET(first, &one)) ++first;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    require(::sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
    require(os::affinity_cpus() == 1 && os::usable_cpus() == 1, "one");
  }));
}

TEST_F(OsHost, TheEnvironmentLowersButNeverRaises) {
  EXPECT_TRUE(holds_in_child([] {
    ::unsetenv("PROCPOOL_PROCESSES");
    const int all = os::usable_cpus();
    for (const char* nonsense : {"", "0", "-1", "two", "1 ", " 1", "1.5", "99999999999999999999"}) {
      ::setenv("PROCPOOL_PROCESSES", nonsense, 1);
      require(os::usable_cpus() == all, nonsense);
    }
    ::setenv("PROCPOOL_PROCESSES", "1", 1);
    require(os::usable_cpus() == 1, "1");
    ::setenv("PROCPOOL_PROCESSES", "100000", 1);
    require(os::usable_cpus() == all, "100000");
  }));
}

TEST_F(OsHost, ReadsCpuMax) {
  EXPECT_EQ(os::parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(os::parse_cpu_max("max 100000\n"), std::nullopt);
  for (const char* nonsense :
       {"", "\n", "5", "0 100000", "-1 100000", "100000 0", "a b", "1 2 3"}) {
    EXPECT_EQ(os::parse_cpu_max(nonsense), std::nullopt) << nonsense;
  }
}

TEST_F(OsHost, TakesTheTightestQuotaUpTheHierarchy) {
  write("cpu.max", "400000 100000\n");
  write("a/cpu.max", "150000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("c/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("a/b", 2), 1.5);
  EXPECT_EQ(quota("a/b/gone", 2), 1.5);
  EXPECT_EQ(quota("c", 2), 4.0);
  EXPECT_EQ(quota("a/b", 1), std::nullopt);
}

TEST_F(OsHost, ReadsTheOlderForm) {
  write("cpu.cfs_quota_us", "-1\n");
  write("cpu.cfs_period_us", "100000\n");
  write("docker/cpu.cfs_quota_us", "250000\n");
  write("docker/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("docker", 1), 2.5);
  EXPECT_EQ(quota("", 1), std::nullopt);
}

TEST_F(OsHost, FindsTheGroupInTheUnifiedHierarchy) {
  const auto places = os::cgroup_places(
      "0::/user.slice/session:1.scope\n",
      "24 1 0:22 / / rw - ext4 /dev/vda rw\n"
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(places[0].directory, "/sys/fs/cgroup/user.slice/session:1.scope");
  EXPECT_EQ(places[0].top, "/sys/fs/cgroup");
  EXPECT_EQ(places[0].version, 2);
}

TEST_F(OsHost, FindsTheGroupInBothOfAHybridAndNamesWithBlanks) {
  const auto places = os::cgroup_places(
      "5:cpuset:/x\n4:cpu,cpuacct:/docker/12\n0::/\n",
      "31 30 0:27 / /sys/fs/cg\\040roup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 30 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[0].directory, "/sys/fs/cg roup/cpu,cpuacct/docker/12");
  EXPECT_EQ(places[0].version, 1);
  EXPECT_EQ(places[1].directory.lexically_relative("/sys/fs/cgroup/unified"), ".");
}

TEST_F(OsHost, InAContainerTheMountShowsAPartOfTheTree) {
  const char* mount = "31 30 0:27 /docker/12 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
  const auto inside = os::cgroup_places("4:cpu:/docker/12/sub\n", mount);
  ASSERT_EQ(inside.size(), 1U);
  EXPECT_EQ(inside[0].directory, "/sys/fs/cgroup/cpu/sub");
  const auto outside = os::cgroup_places("4:cpu:/elsewhere\n", mount);
  ASSERT_EQ(outside.size(), 1U);
  EXPECT_EQ(outside[0].directory, "/sys/fs/cgroup/cpu");
}

TEST_F(OsHost, NonsenseIsNoPlace) {
  EXPECT_TRUE(os::cgroup_places("", "").empty());
  EXPECT_TRUE(
      os::cgroup_places("nonsense\n0::/", "x - cgroup2\n - \n1 2 3 4 5 - ext4 a b").empty());
}

TEST_F(OsHost, WithoutProcThereIsNoQuotaAndNoCommandLine) {
  EXPECT_TRUE(holds_in_child([] {
    test::refuse(SYS_openat, ENOENT);
    require(!os::cpu_quota() && os::command_line().empty() && os::usable_cpus() >= 1, "none");
  }));
}

TEST_F(OsHost, ReadsTheCommandLineAsTheKernelHasIt) {
  const std::vector<std::string> words = os::command_line();
  ASSERT_FALSE(words.empty());
  EXPECT_EQ(words.front(), program_invocation_name);
}

TEST_F(OsHost, KnowsTheDescriptorLimit) {
  EXPECT_TRUE(holds_in_child([] {
    test::limit(RLIMIT_NOFILE, 123);
    require(os::descriptor_limit() == 123, "123");
  }));
}

}  // namespace
