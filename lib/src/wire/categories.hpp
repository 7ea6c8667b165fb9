#pragma once

// Error categories are objects of one process; between processes they go by name.

#include <array>
#include <string_view>
#include <system_error>

namespace procpool::inline v0::wire {

/// generic, system, iostream, future.
std::array<const std::error_category*, 4> standard_categories() noexcept;

/// The standard category of that name, or one that stands in for a category unknown here: it has
/// the name, and no more. Null when too many names have been asked for.
const std::error_category* category_named(std::string_view name);

}  // namespace procpool::inline v0::wire
