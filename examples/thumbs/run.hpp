#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "thumbs/inputs.hpp"
#include "thumbs/options.hpp"
#include "thumbs/outcome.hpp"

namespace thumbs {

// How often a file is tried again after it took a worker along: by its own fault or by chaos.
inline constexpr unsigned kRetries = 3;

struct Run {
  std::vector<Outcome> outcomes;  // one for each item, in the items' order
  std::chrono::duration<double> time{};
  int places = 1;              // worker processes at a time
  std::size_t at_the_end = 0;  // of them alive when the last file was done
  std::size_t chaos_kills = 0;
};

// Every file in worker processes, in a random order, so that trouble is spread over the run and the
// time that is left can be told.
Run run_in_pool(const std::vector<Item>& items, const Options& options);

// The same work in the same order in this process, without what would kill it: the files that we
// damaged and the files that killed a worker in the other run.
Run run_serially(const std::vector<Item>& items, const Options& options, const Run& in_pool);

}  // namespace thumbs
