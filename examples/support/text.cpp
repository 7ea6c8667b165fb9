#include "support/text.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <typeinfo>

namespace examples {

std::string with_commas(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string fixed(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string seconds(std::chrono::duration<double> time) {
  if (time.count() < 60) return fixed(time.count(), 2) + " s";
  const auto whole = static_cast<long>(std::lround(time.count()));
  char text[64];
  std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
  return text;
}

std::string type_name(const std::exception& error) {
  const char* const name = typeid(error).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 ? readable.get() : name;
}

std::string plural(std::size_t count, const std::string& noun) {
  return with_commas(count) + " " + noun + (count == 1 ? "" : "s");
}

std::vector<std::size_t> Table::widths(std::size_t rows) const {
  std::vector<std::size_t> result;
  for (std::size_t r = 0; r < rows; ++r) {
    result.resize(std::max(result.size(), rows_[r].size()));
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      result[c] = std::max(result[c], rows_[r][c].size());
    }
  }
  return result;
}

void Table::print(std::ostream& out, std::size_t most) const {
  const std::size_t shown = std::min(most, rows_.size());
  const std::vector<std::size_t> width = widths(shown);
  for (std::size_t r = 0; r < shown; ++r) {
    std::string line = " ";
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      const bool last = c + 1 == rows_[r].size();
      line += " " + rows_[r][c];
      if (!last) line.append(width[c] - rows_[r][c].size() + 1, ' ');
    }
    out << line << '\n';
  }
  if (shown < rows_.size()) {
    out << "  ... and " << with_commas(rows_.size() - shown) << " more (--verbose shows all)\n";
  }
}

}  // namespace examples
