#include "bench/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace bench {
namespace {

constexpr int line_height = 26;
constexpr int text_width = 380;
constexpr int decade_width = 110;
constexpr int head = 56;
constexpr int foot = 34;

/// How many times better than the peer we are: units such as "M tasks/s" are better when higher.
double advantage(const Row& row) {
  const bool higher = row.unit.find("/s") != std::string::npos || row.unit == "of ideal";
  return higher ? row.ratio->median : 1 / row.ratio->median;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (c == '<') {
      all += "&lt;";
    } else if (c == '&') {
      all += "&amp;";
    } else {
      all += c;
    }
  }
  return all;
}

std::string times(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 10 ? "%.0f x" : "%.2f x", value);
  return text;
}

class Picture {
 public:
  Picture(const std::string& group, const std::vector<const Row*>& rows, const Machine& machine) {
    double least = 1;
    double most = 1;
    for (const Row* row : rows) {
      least = std::min(least, advantage(*row));
      most = std::max(most, advantage(*row));
    }
    first_ = std::floor(std::log10(least));
    const double decades = std::max(1.0, std::ceil(std::log10(most)) - first_);
    const int width = text_width + static_cast<int>(decades * decade_width) + 90;
    const int height = head + static_cast<int>(rows.size()) * line_height + foot;
    out_ << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
         << "' font-family='sans-serif' font-size='13'>\n<rect width='100%' height='100%' "
            "fill='white'/>\n";
    text(12, 24, group + ": how many times better than each peer", "font-weight='bold'");
    for (double decade = 0; decade <= decades; ++decade) axis(decade, height);
    int y = head;
    for (const Row* row : rows) bar(*row, y), y += line_height;
    text(12, height - 10,
         machine.model + "; " + machine.kernel + "; " + std::to_string(machine.cpus) + " cpus",
         "fill='#666' font-size='11'");
    out_ << "</svg>\n";
  }
  std::string svg() const { return out_.str(); }

 private:
  double x_of(double value) const {
    return text_width + (std::log10(value) - first_) * decade_width;
  }
  void text(double x, double y, const std::string& words, const char* how = "") {
    out_ << "<text x='" << x << "' y='" << y << "' " << how << ">" << escaped(words) << "</text>\n";
  }
  void axis(double decade, int height) {
    const double x = text_width + decade * decade_width;
    out_ << "<line x1='" << x << "' x2='" << x << "' y1='" << head - 14 << "' y2='"
         << height - foot + 4 << "' stroke='#ddd'/>\n";
    text(x, head - 18, times(std::pow(10, first_ + decade)),
         "fill='#666' font-size='11' text-anchor='middle'");
  }
  void bar(const Row& row, int y) {
    const double value = advantage(row);
    const double from = std::min(x_of(1), x_of(value));
    const double to = std::max(x_of(1), x_of(value));
    text(12, y + 14, row.name + "  (" + row.peer_name + ")", "font-size='12'");
    out_ << "<rect x='" << from << "' y='" << y + 2 << "' width='" << std::max(to - from, 1.0)
         << "' height='" << line_height - 10 << "' fill='" << (value >= 1 ? "#2b7a4b" : "#b5533c")
         << "'/>\n";
    text(to + 6, y + 14, times(value), "font-size='12'");
  }

  std::ostringstream out_;
  double first_ = 0;  // the scale begins at this power of ten
};

}  // namespace

bool write_plots(const std::string& folder, const Machine& machine, const std::vector<Row>& rows) {
  std::map<std::string, std::vector<const Row*>> groups;
  for (const Row& row : rows) {
    if (row.ratio && row.ratio->median > 0)
      groups[row.name.substr(0, row.name.find('/'))].push_back(&row);
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  bool written = !error;
  for (const auto& [group, its] : groups) {
    std::ofstream file(std::filesystem::path(folder) / (group + ".svg"));
    file << Picture(group, its, machine).svg();
    written &= static_cast<bool>(file.flush());
  }
  return written;
}

}  // namespace bench
