#include "bench/options.hpp"

#include <iostream>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

constexpr std::string_view usage =
    R"(procpool_bench: procpool beside its peers and floors, on this machine, now

  --json FILE     write the figures to FILE
  --plot DIR      draw them into DIR, an SVG picture per group of rows
  --filter REGEX  only the contests whose name contains a match
  --quick         fewer and smaller rounds: to see that all works, not to quote
  --help          this text
)";

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string value_of(std::string_view option, int& at, int argc, char** argv) {
  if (at + 1 >= argc) throw Refused(std::string(option) + " needs a value");
  return argv[++at];
}

std::regex read_regex(const std::string& text) {
  try {
    return std::regex(text, std::regex::extended);
  } catch (const std::regex_error&) {
    throw Refused("--filter: no regular expression: " + text);
  }
}

Options parse(int argc, char** argv, bool& help) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string_view option = argv[at];
    if (option == "--quick") {
      options.quick = true;
    } else if (option == "--json") {
      options.json = value_of(option, at, argc, argv);
      if (options.json.empty()) throw Refused("--json needs a file name");
    } else if (option == "--plot") {
      options.plots = value_of(option, at, argc, argv);
      if (options.plots.empty()) throw Refused("--plot needs a folder");
    } else if (option == "--filter") {
      options.filter_text = value_of(option, at, argc, argv);
      options.filter = read_regex(options.filter_text);
    } else if (option == "--help" || option == "-h") {
      help = true;
    } else {
      throw Refused("unknown option: " + std::string(option) + " (--help lists them)");
    }
  }
  return options;
}

}  // namespace

std::optional<Options> read_options(int argc, char** argv, int& status) {
  bool help = false;
  try {
    Options options = parse(argc, argv, help);
    if (!help) return options;
    std::cout << usage;
    status = 0;
  } catch (const Refused& refusal) {
    std::cerr << "procpool_bench: " << refusal.what() << '\n';
    status = 2;
  }
  return std::nullopt;
}

}  // namespace bench
