#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

#include <procpool/progress.hpp>

namespace examples {

// How far a run has come, on stderr, as procpool::show_progress writes it, for work of which the
// program itself counts the steps. Every member may be called from any thread.
class Progress {
 public:
  Progress(std::string what, std::size_t total);

  void advance(std::size_t steps = 1);
  void note(const std::string& line);  // a line of its own, above the bar

 private:
  using Clock = std::chrono::steady_clock;

  void show() const;

  const std::size_t total_;
  const procpool::Progress display_;
  const Clock::time_point start_ = Clock::now();
  std::mutex lock_;
  std::size_t done_ = 0;
};

}  // namespace examples
