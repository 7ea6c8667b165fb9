#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace examples {

// How far a run has come, on stderr. On a terminal: one bar with rate and time left, redrawn at
// most ten times a second and wiped when the object goes. Elsewhere: a plain line every ten per
// cent. Every member may be called from any thread.
class Progress {
 public:
  Progress(std::string what, std::size_t total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  void advance(std::size_t steps = 1);
  void note(const std::string& line);  // a line of its own, above the bar

 private:
  using Clock = std::chrono::steady_clock;

  void draw_bar();
  void print_line(std::size_t before);
  void wipe();
  std::size_t percent(std::size_t done) const;
  std::string rate_and_rest() const;

  const std::string what_;
  const std::size_t total_;
  const bool terminal_;
  const Clock::time_point start_ = Clock::now();
  std::mutex lock_;
  Clock::time_point drawn_ = {};
  std::size_t done_ = 0;
};

}  // namespace examples
