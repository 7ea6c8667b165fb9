#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/contest.hpp"

namespace bench {

/// Who hears of each contest as it ends.
class Listener {
 public:
  virtual void measured(const std::vector<Row>& rows) = 0;
  virtual void failed(const std::string& contest, const std::string& why) = 0;

 protected:
  ~Listener() = default;
};

/// Runs the contests one after another. One Google Benchmark iteration is one round: a sample of
/// ours, then one of each peer. A first round is not counted.
void run(const std::vector<Contest>& contests, Listener& listener);

}  // namespace bench
