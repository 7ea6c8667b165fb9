#include "support/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace examples {

Progress::Progress(std::string what, std::size_t total)
    : total_(total), display_(procpool::show_progress(std::move(what))) {}

void Progress::advance(std::size_t steps) {
  const std::scoped_lock held(lock_);
  done_ += steps;
  show();
}

void Progress::note(const std::string& line) {
  const std::scoped_lock held(lock_);
  std::fprintf(stderr, "%s%s\n", ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "", line.c_str());
}

void Progress::show() const {
  display_({.done = done_, .total = total_, .elapsed = Clock::now() - start_});
}

}  // namespace examples
