#pragma once

#include <vector>

#include "bench/contest.hpp"

namespace bench {

/// How much is done: `quick` only shows that all works.
struct Scale {
  bool quick = false;
  int rounds(int usual) const { return quick ? 3 : usual; }
  template <class N>
  N amount(N usual) const {
    return quick ? usual / 10 : usual;
  }
};

// One file each.
std::vector<Contest> round_trips(const Scale& scale);
std::vector<Contest> submissions(const Scale& scale);
std::vector<Contest> maps(const Scale& scale);
std::vector<Contest> skew(const Scale& scale);
std::vector<Contest> streams(const Scale& scale);
std::vector<Contest> idling(const Scale& scale);
std::vector<Contest> payloads(const Scale& scale);
std::vector<Contest> vectors(const Scale& scale);
std::vector<Contest> efficiency(const Scale& scale);
std::vector<Contest> growth(const Scale& scale);
std::vector<Contest> starts(const Scale& scale);
std::vector<Contest> crashes(const Scale& scale);
std::vector<Contest> memory(const Scale& scale);

}  // namespace bench
