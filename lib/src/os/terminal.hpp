#pragma once

#include <cstddef>
#include <cstdio>

namespace procpool::inline v0::os {

bool is_terminal(std::FILE* file) noexcept;
/// 80 where the terminal does not say.
std::size_t terminal_columns(std::FILE* file) noexcept;

}  // namespace procpool::inline v0::os
