#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <procpool/options.hpp>
#include <string>

namespace examples {

inline constexpr int kBadOption = 2;  // exit status

// The options that every example has.
struct CommonOptions {
  std::optional<int> workers = {};
  std::string start_method = "forkserver";
  std::filesystem::path out = {};
  bool serial = true;
};

// Adds them. Of these and of all options added later the last one written counts.
void add_common_options(CLI::App& app, CommonOptions& options);
procpool::PoolOptions pool_options(const CommonOptions& options);

// Accepts whole numbers within the bounds; says what to write instead.
CLI::Validator whole_number(std::int64_t least, std::int64_t most);

// Parses. A value is the exit status with which the program should end now: 0 after --help, 2 after
// a bad option, which has had its one line on stderr.
std::optional<int> parse(CLI::App& app, int argc, char** argv);

// One line on stderr, in the form that every error of the examples has.
void complain(const std::string& program, const std::string& text);

}  // namespace examples
