// One system call that fails. The library has no hooks for this: the linker gives this program's calls
// to the functions of faults.cpp (-Wl,--wrap, CMakeLists.txt), which call what they replace.
#pragma once

#include <ostream>
#include <vector>

namespace procpool::test {

struct Fault {
  const char* call;
  int error;
};
inline void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.call; }

const std::vector<Fault>& all_faults();

// While one lives, the nth call of that name fails with that error, once, whichever thread makes it;
// in the process that made the Failing, not in those it forks.
class Failing {
 public:
  Failing(const Fault& fault, int nth);
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
  ~Failing();
  bool happened() const;
};

}  // namespace procpool::test
