// The start method that the first argument of a program names.
#pragma once

#include <procpool/procpool.hpp>

#include <string_view>

inline procpool::StartMethod method_of(std::string_view name) {
  if (name == "fork") return procpool::StartMethod::fork;
  if (name == "spawn") return procpool::StartMethod::spawn;
  return procpool::StartMethod::forkserver;
}
