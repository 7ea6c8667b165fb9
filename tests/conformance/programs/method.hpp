// The start method that the first argument of a program names.
#pragma once

#include <procpool/procpool.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

inline procpool::StartMethod method_of(std::string_view name) {
  if (name == "fork") return procpool::StartMethod::fork;
  if (name == "spawn") return procpool::StartMethod::spawn;
  return procpool::StartMethod::forkserver;
}

// The same before main, whose arguments nobody has yet.
inline procpool::StartMethod method_before_main() {
  std::ifstream file("/proc/self/cmdline");
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  const std::string first = line.substr(line.find('\0') + 1);
  return method_of(first.c_str());
}
