#pragma once

// How many threads numeric libraries inside a worker may start: the variables that they read.

#include <string>
#include <vector>

namespace procpool::inline v0::os {

/// "NAME=threads" for each variable that this process's environment does not have.
std::vector<std::string> thread_caps(int threads);
/// Sets them here. For a single-threaded process.
void set_thread_caps(int threads);

}  // namespace procpool::inline v0::os
