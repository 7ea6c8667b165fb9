#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <procpool/pool.hpp>
#include <set>
#include <thread>

#include "support/progress.hpp"

namespace thumbs {

// A thread that sends SIGKILL to `kills` random workers of a pool, each another one, spread over a
// run of `total` files. It learns from reached() how far the run is, and sleeps in between.
class Chaos {
 public:
  Chaos(procpool::Pool& pool, std::size_t kills, std::size_t total, std::uint64_t seed,
        examples::Progress& progress);
  Chaos(const Chaos&) = delete;
  Chaos& operator=(const Chaos&) = delete;
  ~Chaos();

  void reached(std::size_t done);
  std::size_t finish();  // ends the thread; how many workers it killed

 private:
  void run(std::size_t kills, std::size_t total, std::uint64_t seed);
  bool wait_until(std::size_t done);
  bool kill_one(std::uint64_t choice);

  procpool::Pool& pool_;
  examples::Progress& progress_;
  std::atomic<std::size_t> done_ = 0;
  std::set<pid_t> killed_;
  std::thread thread_;
};

}  // namespace thumbs
