#include "support/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "support/text.hpp"

namespace examples {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string bar(std::size_t width, std::size_t percent) {
  const std::size_t full = width * percent / 100;
  std::string text(full, '=');
  if (full < width) text += '>';
  text.resize(width, ' ');
  return "[" + text + "]";
}

std::string padded_percent(std::size_t percent) {
  char text[16];
  std::snprintf(text, sizeof text, "%3zu %%", percent);
  return text;
}

}  // namespace

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)), total_(total), terminal_(is_terminal()) {}

Progress::~Progress() { wipe(); }

void Progress::advance(std::size_t steps) {
  const std::scoped_lock held(lock_);
  const std::size_t before = done_;
  done_ += steps;
  if (!terminal_) return print_line(before);
  if (Clock::now() - drawn_ >= kRedraw) draw_bar();
}

void Progress::note(const std::string& line) {
  const std::scoped_lock held(lock_);
  wipe();
  std::fprintf(stderr, "%s\n", line.c_str());
  if (terminal_) draw_bar();
}

std::size_t Progress::percent(std::size_t done) const {
  return total_ == 0 ? 100 : std::min<std::size_t>(100, done * 100 / total_);
}

std::string Progress::rate_and_rest() const {
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  const double rate = static_cast<double>(done_) / std::max(elapsed.count(), 1e-9);
  std::string text = with_commas(static_cast<std::size_t>(rate)) + "/s";
  if (done_ == 0 || done_ >= total_) return text;
  const std::chrono::duration<double> rest(static_cast<double>(total_ - done_) / rate);
  return text + "  " + (rest.count() < 60 ? fixed(rest.count(), 0) + " s" : seconds(rest)) +
         " left";
}

void Progress::draw_bar() {
  drawn_ = Clock::now();
  const std::string counts = padded_percent(percent(done_)) + "  " + with_commas(done_) + " of " +
                             with_commas(total_) + "  " + rate_and_rest();
  const std::size_t room = columns();
  const std::size_t used = what_.size() + counts.size() + 7;
  const std::size_t width = used + 10 > room ? 10 : std::min<std::size_t>(40, room - used);
  std::string line = what_ + "  " + bar(width, percent(done_)) + "  " + counts;
  if (line.size() >= room) line.resize(room - 1);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
}

void Progress::print_line(std::size_t before) {
  if (percent(done_) / 10 == percent(before) / 10) return;
  std::fprintf(stderr, "%s  %s  %s of %s  %s\n", what_.c_str(),
               padded_percent(percent(done_)).c_str(), with_commas(done_).c_str(),
               with_commas(total_).c_str(), rate_and_rest().c_str());
}

void Progress::wipe() {
  if (!terminal_) return;
  std::fprintf(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace examples
