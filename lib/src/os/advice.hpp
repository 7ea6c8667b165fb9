#pragma once

// What to do about a limit that the system has set.

#include <string>
#include <string_view>

namespace procpool::inline v0::os {

/// "; raise …" when `failure` names a limit that is known here, else nothing. By the text of the
/// failure, since it may have been another process that met the limit and told of it.
std::string advice_on(std::string_view failure);

}  // namespace procpool::inline v0::os
