#pragma once

// What this process is: the user's program, a template process or a worker.

#include <functional>
#include <optional>

namespace procpool::inline v0::os {

enum class Role { program, template_process, worker };

/// A hidden argument makes a process that procpool executes a template or a worker; never an
/// environment variable, which children of tasks would inherit.
inline constexpr const char* template_argument = "--procpool-template";
inline constexpr const char* worker_argument = "--procpool-worker";

/// Known before main. A forked template or worker says what it is by `set_role`.
Role role();
void set_role(Role role) noexcept;

/// The descriptor number in the hidden argument.
std::optional<int> role_socket();

/// Whether `init` has been called in this process.
bool initialised() noexcept;
/// Whether the program's own static initialisation is over (main, or a thread that main started,
/// runs). Right for programs that link the library after their own objects, as every build system
/// does.
bool main_has_begun() noexcept;

/// Runs `action` when `init` is called, or now if it was.
void at_init(std::function<void()> action);
/// By `init`: runs what waits for it, all of it, and then throws what the first that failed threw.
void set_initialised();

}  // namespace procpool::inline v0::os
