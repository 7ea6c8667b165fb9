#include "thumbs/run.hpp"

#include <algorithm>
#include <numeric>
#include <procpool/procpool.hpp>
#include <random>
#include <string>

#include "support/interrupt.hpp"
#include "support/progress.hpp"
#include "thumbs/chaos.hpp"
#include "thumbs/outcome_of.hpp"
#include "thumbs/sheet.hpp"

namespace thumbs {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::size_t> shuffled_places(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::shuffle(places.begin(), places.end(), std::mt19937_64(seed));
  return places;
}

// Whether the file itself kills: a SIGKILL under chaos proves nothing against it.
bool deadly(const Outcome& outcome, const Options& options) {
  const auto* crash = std::get_if<Killed>(&outcome);
  return crash != nullptr && !(options.chaos > 0 && crash->how == "SIGKILL");
}

}  // namespace

Run run_in_pool(const std::vector<Item>& items, const Options& options) {
  const std::vector<std::size_t> order = shuffled_places(items.size(), options.seed);
  std::vector<std::string> files;
  for (const std::size_t place : order) files.push_back(items[place].file);

  Run run{.outcomes = std::vector<Outcome>(items.size())};
  const auto start = Clock::now();
  procpool::Pool pool(examples::pool_options(options.common));
  examples::Progress progress("in workers", items.size());
  Chaos chaos(pool, options.chaos, items.size(), options.seed, progress);

  auto results =
      pool.with(procpool::TaskOptions{.retries = kRetries})
          .imap_unordered(procpool::partial(make_thumbnail, box_in(options.cell)), files);
  std::size_t done = 0;
  for (auto it = results.begin(); it != results.end(); ++it) {
    run.outcomes[order[it.index()]] = outcome_of([&] { return std::move(*it); });
    chaos.reached(++done);
    progress.advance();
    examples::throw_if_interrupted();
  }
  run.time = Clock::now() - start;
  run.chaos_kills = chaos.finish();
  run.places = pool.processes();
  run.at_the_end = pool.pids().size();
  return run;
}

Run run_serially(const std::vector<Item>& items, const Options& options, const Run& in_pool) {
  Run run{.outcomes = std::vector<Outcome>(items.size())};
  examples::Progress progress("in one process", items.size());
  const auto start = Clock::now();
  for (const std::size_t i : shuffled_places(items.size(), options.seed)) {
    progress.advance();
    examples::throw_if_interrupted();
    if (items[i].damaged) continue;
    run.outcomes[i] = deadly(in_pool.outcomes[i], options) ? in_pool.outcomes[i] : outcome_of([&] {
      return make_thumbnail(box_in(options.cell), items[i].file);
    });
  }
  run.time = Clock::now() - start;
  return run;
}

}  // namespace thumbs
