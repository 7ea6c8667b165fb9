// thumbs: decodes thousands of image files in worker processes, good ones and damaged ones, lays
// them into one contact sheet, and accounts for every file.
//
// Where to look: run.cpp has the pool, thumbnail.cpp the task, report.cpp what is printed.
#include <algorithm>
#include <iostream>
#include <procpool/procpool.hpp>

#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/png.hpp"
#include "support/text.hpp"
#include "thumbs/damage.hpp"
#include "thumbs/options.hpp"
#include "thumbs/report.hpp"
#include "thumbs/run.hpp"
#include "thumbs/sheet.hpp"

namespace thumbs {
namespace {

// The files that were found, then those made from them: converted ones and damaged ones.
std::vector<Item> all_items(const Options& options, const std::filesystem::path& folder) {
  std::vector<Item> items = find_images(options.paths, options.limit);
  Random random(options.seed);
  const auto converted = convert_some(items, options.convert, folder / "converted", random);
  const auto damaged = damage_some(items, options.damage, folder / "damaged", random);
  std::cout << "thumbs: " << examples::plural(items.size(), "image") << " found, "
            << examples::with_commas(converted.size()) << " converted, "
            << examples::with_commas(damaged.size()) << " damaged (seed " << options.seed << ")\n"
            << std::flush;
  items.insert(items.end(), converted.begin(), converted.end());
  items.insert(items.end(), damaged.begin(), damaged.end());
  return items;
}

std::vector<const Outcome*> every(const std::vector<Outcome>& outcomes) {
  std::vector<const Outcome*> pointers;
  for (const Outcome& outcome : outcomes) pointers.push_back(&outcome);
  return pointers;
}

bool same_sheets(const std::vector<Item>& items, const Run& one, const Run& other, int cell) {
  return lay_out(undamaged(items, one.outcomes), cell) ==
         lay_out(undamaged(items, other.outcomes), cell);
}

int make_contact_sheet(const Options& options) {
  const examples::TempDir folder("thumbs");
  const std::vector<Item> items = all_items(options, folder.path());
  const Run in_pool = run_in_pool(items, options);
  examples::write_png(options.common.out, lay_out(every(in_pool.outcomes), options.cell));

  std::optional<Run> serial;
  bool same = true;
  if (options.common.serial) {
    serial = run_serially(items, options, in_pool);
    same = same_sheets(items, in_pool, *serial, options.cell);
  }
  const Report report{items, options, in_pool, serial, same};
  print(std::cout, report);
  return all_is_well(report) ? 0 : 1;
}

}  // namespace
}  // namespace thumbs

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  try {
    thumbs::Options options;
    if (const auto status = thumbs::read_options(argc, argv, options)) return *status;
    examples::watch_interrupts();
    return thumbs::make_contact_sheet(options);
  } catch (const std::exception& error) {
    examples::complain("thumbs", error.what());
    return 1;
  }
}
