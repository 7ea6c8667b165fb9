#pragma once

#include <exception>

namespace examples {

// Ctrl-C as an exception, so that temporary files and workers go the way they go on any error.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

void watch_interrupts();  // SIGINT and SIGTERM are noted from here on
void throw_if_interrupted();

}  // namespace examples
