#pragma once

#include <string>
#include <vector>

#include "bench/contest.hpp"
#include "bench/machine.hpp"

namespace bench {

/// Writes one picture (SVG) per group of rows, named by the first word of the rows' names, into a
/// folder that is made if it is not there: a bar per row, as long as we are faster than the peer,
/// on a scale of powers of ten. False: a file could not be written.
bool write_plots(const std::string& folder, const Machine& machine, const std::vector<Row>& rows);

}  // namespace bench
