#include "thumbs/options.hpp"

#include <string>

namespace thumbs {
namespace {

constexpr const char* kIconTheme = "/usr/share/icons/Adwaita";
constexpr const char* kAbout =
    "Decodes every image below some directories in worker processes and lays them into one "
    "contact\n"
    "sheet. Files that a decoder refuses, and files that kill their worker, are rows of the "
    "report.";

std::string check_path(std::string& text) {
  std::error_code ignored;
  if (std::filesystem::exists(text, ignored)) return {};
  return "there is no file or directory '" + text + "': write one that exists";
}

void add_numbers(CLI::App& app, Options& options) {
  const auto number = [&app](const char* name, auto& value, long least, long most,
                             const char* help) {
    app.add_option(name, value, help)
        ->check(examples::whole_number(least, most))
        ->type_name("N")
        ->capture_default_str();
  };
  number("--damage", options.damage, 0, 100'000, "make N damaged copies and decode those too");
  number("--chaos", options.chaos, 0, 100'000, "SIGKILL N random workers while it runs");
  number("--seed", options.seed, 0, INT64_MAX, "of all that is random");
  number("--size", options.cell, 16, 1024, "width and height of a cell in pixels");
  number("--limit", options.limit, 0, 100'000'000, "use N of the files, evenly spread; 0: all");
  number("--convert", options.convert, 0, 100'000,
         "also decode N files converted to TGA, PPM, JPEG");
}

int no_icon_theme() {
  examples::complain("thumbs", std::string("there is no directory ") + kIconTheme +
                                   ": install adwaita-icon-theme or name a directory with images");
  return examples::kBadOption;
}

}  // namespace

std::optional<int> read_options(int argc, char** argv, Options& options) {
  CLI::App app(kAbout, "thumbs");
  app.add_option("DIR", options.paths,
                 std::string("directories or files (default: ") + kIconTheme + ")")
      ->check(CLI::Validator(check_path, ""))
      ->type_name("");
  examples::add_common_options(app, options.common);
  add_numbers(app, options);
  app.add_flag("--verbose", options.verbose, "show every row of the report");
  if (const auto status = examples::parse(app, argc, argv)) return status;
  if (options.paths.empty()) options.paths = {kIconTheme};
  if (!std::filesystem::exists(options.paths.front())) return no_icon_theme();
  return std::nullopt;
}

}  // namespace thumbs
