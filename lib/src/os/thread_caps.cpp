#include "os/thread_caps.hpp"

#include <array>
#include <cstdlib>

namespace procpool::inline v0::os {

namespace {

// OpenMP, OpenBLAS, MKL, BLIS, NumExpr, Apple's Accelerate: joblib's list.
constexpr std::array variables{"OMP_NUM_THREADS",  "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                               "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",  "VECLIB_MAXIMUM_THREADS"};

}  // namespace

std::vector<std::string> thread_caps(int threads) {
  std::vector<std::string> caps;
  for (const char* const name : variables) {
    if (std::getenv(name) == nullptr) caps.push_back(name + ("=" + std::to_string(threads)));
  }
  return caps;
}

void set_thread_caps(int threads) {
  const std::string value = std::to_string(threads);
  for (const char* const name : variables) ::setenv(name, value.c_str(), 0);
}

}  // namespace procpool::inline v0::os
