#pragma once

// The one place where the supervisor's side leads into the worker's: a template made by fork goes on
// in the worker's code. Declared here so that the two sides stay strangers; defined in
// worker/template.cpp.

namespace procpool::inline v0 {

[[noreturn]] void enter_template(int socket) noexcept;

}  // namespace procpool::inline v0
