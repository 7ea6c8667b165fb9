#include "support/options.hpp"

#include <charconv>
#include <iostream>
#include <system_error>

namespace examples {
namespace {

bool in_bounds(const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && number >= least && number <= most;
}

std::string check_start_method(std::string& text) {
  if (text == "fork" || text == "forkserver" || text == "spawn") return {};
  return "'" + text + "' is no start method: write fork, forkserver or spawn";
}

std::string check_out(std::string& text) {
  std::error_code ignored;
  const std::filesystem::path file(text);
  if (!file.has_filename() || std::filesystem::is_directory(file, ignored)) {
    return "'" + text + "' is a directory: write the name of a PNG file";
  }
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty() || std::filesystem::is_directory(folder, ignored)) return {};
  return "there is no directory '" + folder.string() +
         "': make it first or write another file name";
}

procpool::StartMethod start_method(const std::string& name) {
  if (name == "fork") return procpool::StartMethod::fork;
  if (name == "spawn") return procpool::StartMethod::spawn;
  return procpool::StartMethod::forkserver;
}

// CLI11's own words, except where they do not say what to write instead.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return text.substr(0, text.find(':')) + ": the value is missing: write one after it";
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return "there is no option '" + app.remaining().front() + "': --help lists those there are";
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  const std::string bounds = std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [=](std::string& text) {
        if (in_bounds(text, least, most)) return std::string();
        return "'" + text + "' is not a whole number from " + bounds + ": write one, for example " +
               std::to_string(std::max<std::int64_t>(least, 4));
      },
      "");
}

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.option_defaults()->take_last();
  app.add_option("--workers", options.workers, "worker processes (default: one per usable CPU)")
      ->check(whole_number(1, 1024))
      ->type_name("N");
  app.add_option("--start-method", options.start_method, "fork, forkserver or spawn")
      ->check(CLI::Validator(check_start_method, ""))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--out", options.out, "the picture that is written")
      ->check(CLI::Validator(check_out, ""))
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag_callback(
      "--no-serial", [&options] { options.serial = false; },
      "do not do the work again in one process to compare");
}

procpool::PoolOptions pool_options(const CommonOptions& options) {
  procpool::PoolOptions result;
  result.processes = options.workers;
  result.start_method = start_method(options.start_method);
  return result;
}

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    complain(app.get_name(), explain(error, app));
    return kBadOption;
  }
}

void complain(const std::string& program, const std::string& text) {
  std::cerr << program << ": " << text << '\n';
}

}  // namespace examples
