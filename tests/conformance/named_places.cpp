#include "conformance/named_places.hpp"

#include <vector>

namespace procpool::test {

namespace {

PoolOptions elsewhere(const std::string& program) {
  return {.start_method = StartMethod::spawn, .worker_executable = program};
}

std::vector<Place> places() {
  return {
      {"forkserver", {.start_method = StartMethod::forkserver}},
      {"fork", {.start_method = StartMethod::fork}},
      {"spawn", {.start_method = StartMethod::spawn}},
      {"program", elsewhere(PROCPOOL_TEST_PROGRAMS "/named_worker")},
  };
}

}  // namespace

void Named::SetUpTestSuite() {
  for (const Place& place : places()) Pool(place.options).submit(remote<void()>("none")).wait();
}

INSTANTIATE_TEST_SUITE_P(, Named, testing::ValuesIn(places()),
                         [](const auto& test) { return test.param.name; });

}  // namespace procpool::test
