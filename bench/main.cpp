// procpool_bench: README.md in this folder says what is measured and how.

#include <sys/resource.h>

#include <iostream>
#include <iterator>
#include <procpool/program.hpp>

#include "bench/contests.hpp"
#include "bench/options.hpp"
#include "bench/plot.hpp"
#include "bench/report.hpp"

namespace {

std::vector<bench::Contest> chosen(const bench::Options& options) {
  const bench::Scale scale{.quick = options.quick};
  std::vector<bench::Contest> contests;
  for (const auto part :
       {bench::round_trips, bench::submissions, bench::efficiency, bench::maps, bench::skew,
        bench::streams, bench::idling, bench::payloads, bench::vectors, bench::starts,
        bench::crashes, bench::memory, bench::growth}) {
    for (bench::Contest& contest : part(scale)) {
      if (!std::regex_search(contest.name, options.filter)) continue;
      contests.push_back(std::move(contest));
    }
  }
  return contests;
}

/// Crashes are part of the work; a core dump of each is not.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

int fail(const std::string& why, int status) {
  std::cerr << "procpool_bench: " << why << '\n';
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  procpool::init(argc, argv);
  int status = 0;
  const auto options = bench::read_options(argc, argv, status);
  if (!options) return status;
  const auto contests = chosen(*options);
  if (contests.empty()) return fail("--filter: no contest matches: " + options->filter_text, 2);
  forbid_core_dumps();
  const bench::Machine machine = bench::this_machine();
  bench::Table table(machine);
  bench::run(contests, table);
  if (!options->json.empty() && !bench::write_json(options->json, machine, table.rows())) {
    return fail("cannot write " + options->json, 1);
  }
  if (!options->plots.empty() && !bench::write_plots(options->plots, machine, table.rows())) {
    return fail("cannot write pictures into " + options->plots, 1);
  }
  return table.any_failed() ? 1 : 0;
}
