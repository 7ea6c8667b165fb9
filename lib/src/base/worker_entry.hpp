#pragma once

// Where home's side leads into the worker's when a Process is a fork of the program itself. Defined in
// worker/serve.cpp; see template_entry.hpp.

namespace procpool::inline v0 {

[[noreturn]] void enter_worker(int socket) noexcept;

}  // namespace procpool::inline v0
