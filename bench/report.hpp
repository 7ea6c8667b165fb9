#pragma once

#include <string>
#include <vector>

#include "bench/contest.hpp"
#include "bench/harness.hpp"
#include "bench/machine.hpp"

namespace bench {

/// Prints a table line by line as contests end, and remembers the rows.
class Table final : public Listener {
 public:
  explicit Table(const Machine& machine);
  void measured(const std::vector<Row>& rows) override;
  void failed(const std::string& contest, const std::string& why) override;

  const std::vector<Row>& rows() const { return rows_; }
  bool any_failed() const { return any_failed_; }

 private:
  std::vector<Row> rows_;
  bool any_failed_ = false;
};

/// False: the file could not be written.
bool write_json(const std::string& path, const Machine& machine, const std::vector<Row>& rows);

}  // namespace bench
