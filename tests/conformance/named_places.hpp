// Where exported tasks may be: each test of named_test.cpp runs for each of these.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "conformance/named_tasks.hpp"
#include "support/census.hpp"

namespace procpool::test {

struct Place {
  std::string name;
  PoolOptions options = {};
  std::string prefix = {};  // of the tasks' names

  friend std::ostream& operator<<(std::ostream& out, const Place& place) { return out << place.name; }
};

class Named : public Census, public testing::WithParamInterface<Place> {
 protected:
  // What a program keeps for its whole life once it has had a pool is made before the census.
  static void SetUpTestSuite();

  static Pool make_pool(int processes) {
    PoolOptions options = GetParam().options;
    options.processes = processes;
    return Pool(std::move(options));
  }
  template <class Signature>
  static auto task(std::string_view name) {
    return remote<Signature>(GetParam().prefix + std::string(name));
  }
};

}  // namespace procpool::test
