#include "os/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace procpool::inline v0::os {

bool is_terminal(std::FILE* file) noexcept { return ::isatty(::fileno(file)) == 1; }

std::size_t terminal_columns(std::FILE* file) noexcept {
  winsize size{};
  const bool told = ::ioctl(::fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return told ? size.ws_col : 80;
}

}  // namespace procpool::inline v0::os
