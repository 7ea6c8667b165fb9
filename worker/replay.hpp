#pragma once

// Runs the task of a capsule (wire/capsule.hpp) once more, here: no pool, no other process, nothing
// between a debugger and the task.

#include <filesystem>

namespace procpool::inline v0::worker {

/// What a program that was asked to replay or to describe exits with.
enum ReplayStatus : int {
  replay_value = 0,
  replay_exception = 1,
  replay_impossible = 2,  // no such file, another build, no arguments in it: one line on stderr
};

/// Runs the pool's hooks and then the task, as a worker would, and says how that ended: a value on
/// stdout, an exception on stderr. Dies as the task dies.
int replay(const std::filesystem::path& file) noexcept;
/// Prints what is in it.
int describe(const std::filesystem::path& file) noexcept;

/// Of a program's arguments, by `init`: does nothing unless they ask for one of the two; then it
/// does not return.
void serve_capsule_arguments(int argc, char** argv) noexcept;

}  // namespace procpool::inline v0::worker
