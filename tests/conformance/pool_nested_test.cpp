// Pools that workers make.
#include <fstream>
#include <string>

#include "conformance/conformance.hpp"

namespace procpool::test {
namespace {

struct Nested {
  std::vector<int> values;
  std::vector<pid_t> pids;
};
Nested square_in_own_pool(Backend backend, StartMethod method, const std::vector<int>& xs) {
  const Pool pool({.processes = 2, .start_method = method, .backend = backend});
  return {pool.map(square, xs), pool.pids()};
}
void hold_own_pool(StartMethod method, const std::string& pids, const std::string& bell,
                   const std::string& gate) {
  const Pool pool({.processes = 2, .start_method = method});
  const auto future = pool.submit(wait_at, gate, 0);
  std::ofstream out(pids);
  for (const pid_t pid : pool.pids()) out << pid << '\n';
  out.close();
  ring_bell(bell);
  future.get();
}

TEST_P(Conformance, P_POOL_12_a_worker_makes_its_own_pool) {
  const Pool pool = make_pool(1);
  const Way way = GetParam();
  const Nested nested =
      pool.apply(square_in_own_pool, way.backend, way.method, std::vector{1, 2, 3});
  EXPECT_EQ(nested.values, (std::vector{1, 4, 9}));
  if (way.backend != Backend::process) return;  // they have this process
  for (const pid_t pid : nested.pids) EXPECT_TRUE(ended_within(pid, 1s)) << pid;
}

TEST_P(Conformance, P_POOL_12_the_end_of_the_outer_pool_is_the_end_of_the_inner) {
  Gate gate(file("gate"));
  Bell bell(file("bell"));
  Pool pool = make_pool(1);
  const auto future = pool.submit(hold_own_pool, method(), file("pids"), bell.path(), gate.path());
  bell.wait();
  pool.terminate();
  pool.join();
  std::ifstream pids(file("pids"));
  int count = 0;
  for (pid_t pid = 0; pids >> pid; ++count) EXPECT_TRUE(ended_within(pid, 2s)) << pid;
  EXPECT_EQ(count, 2);
}

int pid_of_element(int) { return own_pid(); }
std::vector<int> pids_of_parallel_map() { return parallel_map(pid_of_element, first_numbers(5)); }

TEST_P(Conformance, P_JOB_01_the_shared_pool_of_a_worker_is_the_worker_itself) {
  const Pool pool = make_pool(1);
  EXPECT_EQ(pool.apply(pids_of_parallel_map), std::vector(5, static_cast<int>(pool.pids().at(0))));
}

}  // namespace
}  // namespace procpool::test
