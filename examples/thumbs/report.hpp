#pragma once

#include <optional>
#include <ostream>

#include "thumbs/run.hpp"

namespace thumbs {

// What there is to say when all is done.
struct Report {
  const std::vector<Item>& items;
  const Options& options;
  const Run& in_pool;
  const std::optional<Run>& serial;
  bool same_sheet = true;  // of the undamaged files; true where it was not checked
};

// Done, refused and killed files are all files, and the sheets agree.
bool all_is_well(const Report& report);

void print(std::ostream& out, const Report& report);

}  // namespace thumbs
