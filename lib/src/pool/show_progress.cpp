#include <procpool/progress.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
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

  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;
  ~Display() {
    if (!begun_ || ended_) return;
    try {
      write(true);
    } catch (const std::bad_alloc&) {
      // there is no memory for the last line
    }
  }

  void show(const ProgressReport& report) {
    report_ = report;
    const bool last = report.total != 0 && report.done == report.total;
    if (!last && begun_ && report.elapsed < next_) return;
    next_ = report.elapsed + (terminal_ ? Duration(between_bars) : Duration(between_lines));
    write(last);
  }

 private:
  void write(bool last) {
    begun_ = true;
    ended_ = last;
    if (terminal_) {
      const std::string bar = progress_bar(label_, report_, os::terminal_columns(out_) - 1);
      std::fprintf(out_, "\r%s\x1b[K%s", bar.c_str(), last ? "\n" : "");  // and clear what is left
    } else if (report_.done != written_ || !last) {
      std::fprintf(out_, "%s\n", progress_line(label_, report_).c_str());
      written_ = report_.done;
    }
    std::fflush(out_);
  }

  std::string label_;
  std::FILE* out_;
  bool terminal_;
  ProgressReport report_ = {};
  Duration next_ = {};
  std::size_t written_ = 0;  // how many were done in the last plain line
  bool begun_ = false;
  bool ended_ = false;  // with the last line
};

}  // namespace

Progress show_progress(std::string label, std::FILE* out) {
  return [display = std::make_shared<Display>(std::move(label), out)](
             const ProgressReport& report) { display->show(report); };
}

}  // namespace procpool::inline v0
