// Whole programs that a test runs: what concerns main, static objects, limits or files on disk.
#pragma once

#include <procpool/procpool.hpp>

#include <string>
#include <utility>

namespace procpool::test {

// The path of one of programs/*.cpp.
std::string program(const std::string& name);

// As programs/method.hpp reads it.
std::string name_of(StartMethod method);

// What a command prints, both streams, and its wait status.
std::pair<std::string, int> run(const std::string& command);

}  // namespace procpool::test
