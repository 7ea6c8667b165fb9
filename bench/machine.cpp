#include "bench/machine.hpp"

#include <sys/utsname.h>

#include <fstream>
#include <procpool/program.hpp>

namespace bench {
namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

Machine this_machine() {
  utsname system{};
  uname(&system);
#ifdef __clang__
  const std::string compiler = "clang++ " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return {processor() + ", " + system.machine,
          std::string(system.sysname) + " " + system.release, procpool::usable_cpus(), compiler};
}

}  // namespace bench
