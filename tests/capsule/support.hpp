// Pools that leave capsules, what they left, and running it again.
#pragma once

#include <gtest/gtest.h>
#include <procpool/procpool.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/rendezvous.hpp"
#include "support/census.hpp"
#include "wire/capsule.hpp"

namespace procpool::test {

using namespace std::chrono_literals;
using std::filesystem::path;

class LeavesCapsules : public Census {
 protected:
  static void SetUpTestSuite();

  PoolOptions options(StartMethod method = StartMethod::forkserver, int processes = 1) const {
    PoolOptions all;
    all.processes = processes;
    all.start_method = method;
    all.capsule_dir = folder();
    return all;
  }
  path folder() const { return scratch_.file("some/capsules"); }
  std::string file(const std::string& name) const { return scratch_.file(name); }
  // In the order of their names, which is that of time.
  std::vector<path> left() const;
  path only() const;

 private:
  Scratch scratch_;
};

class OfEachMethod : public LeavesCapsules, public testing::WithParamInterface<StartMethod> {
 protected:
  PoolOptions options(int processes = 1) const {
    return LeavesCapsules::options(GetParam(), processes);
  }
};

wire::Capsule read(const path& file);

// The file that an error's text names in its last line; empty: none.
path named_in(std::string_view text);

struct Ran {
  std::string text;  // both streams
  int exited = -1;   // with; -1: it died
  int signal = 0;    // of
};
Ran run(const std::string& command);
Ran replay(const path& capsule);            // by this program
Ran replay_by_worker(const path& capsule);  // by procpool-worker
Ran describe(const path& capsule);

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace procpool::test
