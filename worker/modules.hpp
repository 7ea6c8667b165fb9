#pragma once

// Task modules: shared libraries that export tasks to the process that loads them.

#include <string>
#include <vector>

namespace procpool::inline v0::worker {

/// Loads each, for good. Throws std::runtime_error, which names the file and the reason: it cannot be
/// loaded, it exports nothing, or what it exports is refused.
void load_modules(const std::vector<std::string>& files);

}  // namespace procpool::inline v0::worker
