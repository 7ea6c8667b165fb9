#include "conformance/named_places.hpp"

#include <vector>

namespace procpool::test {

namespace {

PoolOptions elsewhere(const std::string& program) {
  return {.start_method = StartMethod::spawn, .worker_executable = program};
}

PoolOptions with_module(PoolOptions options) {
  options.modules = {PROCPOOL_TEST_MODULES "/named_module.so"};
  return options;
}

std::vector<Place> places() {
  const std::string in_module = "module.";
  return {
      {"forkserver", {.start_method = StartMethod::forkserver}},
      {"fork", {.start_method = StartMethod::fork}},
      {"spawn", {.start_method = StartMethod::spawn}},
      {"program", elsewhere(PROCPOOL_TEST_PROGRAMS "/named_worker")},
      {"module_forkserver", with_module({.start_method = StartMethod::forkserver}), in_module},
      {"module_fork", with_module({.start_method = StartMethod::fork}), in_module},
      {"module_spawn", with_module({.start_method = StartMethod::spawn}), in_module},
      {"module_worker", with_module(elsewhere(PROCPOOL_WORKER_PROGRAM)), in_module},
  };
}

}  // namespace

void Named::SetUpTestSuite() {
  for (const Place& place : places()) Pool(place.options).submit(remote<void()>("none")).wait();
}

INSTANTIATE_TEST_SUITE_P(, Named, testing::ValuesIn(places()),
                         [](const auto& test) { return test.param.name; });

}  // namespace procpool::test
