#pragma once

// Small files of /proc and /sys, read whole.

#include <optional>
#include <string>

namespace procpool::inline v0::os {

/// Nothing when the file cannot be opened or read: no such kernel feature, no /proc.
std::optional<std::string> read_file(const char* path);

}  // namespace procpool::inline v0::os
