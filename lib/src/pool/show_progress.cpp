#include <procpool/progress.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include "os/terminal.hpp"
#include "pool/progress_line.hpp"

namespace procpool::inline v0 {

namespace {

using namespace std::chrono_literals;

constexpr auto between_bars = 100ms;
constexpr auto between_lines = 5s;

class Display {
 public:
  Display(std::string label, std::FILE* out)
      : label_(std::move(label)), out_(out), terminal_(os::is_terminal(out)) {}

  void show(const ProgressReport& report) {
    const bool last = report.total != 0 && report.done == report.total;
    if (!last && report.elapsed < next_) return;
    next_ = report.elapsed + (terminal_ ? Duration(between_bars) : Duration(between_lines));
    if (terminal_) {
      const std::string bar = progress_bar(label_, report, os::terminal_columns(out_) - 1);
      std::fprintf(out_, "\r%s\x1b[K%s", bar.c_str(), last ? "\n" : "");  // and clear what is left
    } else {
      std::fprintf(out_, "%s\n", progress_line(label_, report).c_str());
    }
    std::fflush(out_);
  }

 private:
  std::string label_;
  std::FILE* out_;
  bool terminal_;
  Duration next_ = {};
};

}  // namespace

Progress show_progress(std::string label, std::FILE* out) {
  return [display = std::make_shared<Display>(std::move(label), out)](
             const ProgressReport& report) { display->show(report); };
}

}  // namespace procpool::inline v0
