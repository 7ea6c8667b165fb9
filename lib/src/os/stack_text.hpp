#pragma once

// A stack in words, by whoever wants to read it: any process, also when the one whose it was is
// gone.

#include <cstddef>
#include <span>
#include <string>

#include "os/stack.hpp"

namespace procpool::inline v0::os {

/// A frame a line, innermost first, no line feed at the end: "square(int) at /src/square.cpp:7";
/// without debug information "square(int) [program+0x12ab]"; without a name "program+0x12ab". What
/// throws, and what runs a task, is left out at the two ends, unless nothing were left.
/// Opens the modules' files and reads them: a tenth of a second and more for large ones. Throws std::bad_alloc only.
std::string stack_text(const Stack&);

/// The same of what `write_stack` wrote; empty, if it is not that.
std::string stack_text(std::span<const std::byte>);

}  // namespace procpool::inline v0::os
