#pragma once

// A fresh execution of a program, by Boost.Process (v1 form, vfork, own initialisers).

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.hpp"

namespace procpool::inline v0::os {

struct Spawned {
  pid_t pid = 0;
  Fd pidfd;
};

/// What it is killed with by the kernel (SIGKILL): nothing, or the end of the thread that spawned
/// it. This holds also for a program that closes all its descriptors.
enum class Outlives { everybody, nobody };

/// Executes `program` (empty: /proc/self/exe, argv[0] kept as the program's name) with `arguments`.
/// Every descriptor >= 3 is closed in it but `inherit`, which arrives as number `inherit_as`.
/// `variables` ("NAME=value") are added to this process's environment for it.
/// Throws std::system_error naming the program when it cannot be executed; leaves no zombie.
Spawned spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments,
              const Fd& inherit, int inherit_as, const std::vector<std::string>& variables = {},
              Outlives outlives = Outlives::everybody);

}  // namespace procpool::inline v0::os
