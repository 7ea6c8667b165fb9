#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <procpool/options.hpp>

namespace procpool::inline v0 {

/// "scenes 120/1000 12% 37.5/s 23 s left"; without a total "scenes 120 37.5/s".
std::string progress_line(std::string_view label, const ProgressReport& report);
/// The same with a bar in it, `width` columns in all, or without one where that is too narrow.
std::string progress_bar(std::string_view label, const ProgressReport& report, std::size_t width);

}  // namespace procpool::inline v0
