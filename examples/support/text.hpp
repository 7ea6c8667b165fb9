#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <ostream>
#include <string>
#include <vector>

namespace examples {

std::string with_commas(std::size_t number);                     // 4,847
std::string fixed(double number, int digits);                    // 1.87
std::string seconds(std::chrono::duration<double> time);         // "0.93 s", "2 min 05 s"
std::string plural(std::size_t count, const std::string& noun);  // "1 worker", "4,847 workers"
std::string type_name(const std::exception& error);              // "std::length_error"

// Rows in aligned columns, two spaces apart; the last column is left ragged.
class Table {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::size_t size() const { return rows_.size(); }

  // Prints at most `most` rows, then one line that counts the rest.
  void print(std::ostream& out, std::size_t most) const;

 private:
  std::vector<std::size_t> widths(std::size_t rows) const;

  std::vector<std::vector<std::string>> rows_;
};

}  // namespace examples
