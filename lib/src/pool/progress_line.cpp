#include "pool/progress_line.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace procpool::inline v0 {

namespace {

constexpr std::size_t narrowest_bar = 8;

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  char text[32];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld min", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld h", whole / 3600, whole / 60 % 60);
  }
  return text;
}

std::string rate_text(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, rate < 100 ? "%.1f/s" : "%.0f/s", rate);
  return text;
}

std::string counts(const ProgressReport& report) {
  std::string text = std::to_string(report.done);
  if (report.total == 0) return text;
  return text + "/" + std::to_string(report.total) + " " +
         std::to_string(report.done * 100 / report.total) + "%";
}

std::string pace(const ProgressReport& report) {
  const double seconds = std::chrono::duration<double>(report.elapsed).count();
  if (report.done == 0 || seconds <= 0) return {};
  const double rate = static_cast<double>(report.done) / seconds;
  std::string text(" ");
  text += rate_text(rate);
  if (report.total == 0) return text;
  if (report.done == report.total) return text + " in " + time_text(seconds);
  return text + " " + time_text(static_cast<double>(report.total - report.done) / rate) + " left";
}

std::string head(std::string_view label) {
  return label.empty() ? std::string() : std::string(label) + " ";
}

}  // namespace

std::string progress_line(std::string_view label, const ProgressReport& report) {
  return head(label) + counts(report) + pace(report);
}

std::string progress_bar(std::string_view label, const ProgressReport& report, std::size_t width) {
  const std::string left = head(label);
  std::string right(" ");
  right += counts(report) + pace(report);
  const std::size_t used = left.size() + right.size() + 2;
  if (report.total == 0 || used + narrowest_bar > width) return progress_line(label, report);
  const std::size_t room = width - used;
  const std::size_t full = std::min(room, room * report.done / report.total);
  return left + "[" + std::string(full, '#') + std::string(room - full, ' ') + "]" + right;
}

}  // namespace procpool::inline v0
