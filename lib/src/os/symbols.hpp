#pragma once

// Names of functions for messages: what the dynamic linker does not know stands in the
// program's own symbol table.

#include <cstdint>
#include <string>

namespace procpool::inline v0::os {

/// The (mangled) name of the function of the running program that holds `address`, which counts from
/// where the program was loaded; `begin` becomes where the function begins. Empty where it is not
/// known: a stripped program, no /proc. Any thread may ask, also right after a fork.
std::string program_symbol(std::uintptr_t address, std::uintptr_t& begin);

/// "square(int)" for "_Z6squarei"; what is no mangled name stays as it is.
std::string demangle(const char* symbol);

}  // namespace procpool::inline v0::os
