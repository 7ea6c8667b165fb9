#pragma once

#include <string>

namespace bench {

/// Where figures were measured: they mean nothing elsewhere.
struct Machine {
  std::string model;
  std::string kernel;
  int cpus = 0;  // that this process may use
  std::string compiler;
};

Machine this_machine();

}  // namespace bench
