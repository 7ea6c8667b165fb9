#include "thumbs/chaos.hpp"

#include <csignal>
#include <limits>
#include <procpool/errors.hpp>
#include <random>
#include <string>
#include <vector>

namespace thumbs {
namespace {

constexpr std::size_t kOver = std::numeric_limits<std::size_t>::max();

}  // namespace

Chaos::Chaos(procpool::Pool& pool, std::size_t kills, std::size_t total, std::uint64_t seed,
             examples::Progress& progress)
    : pool_(pool), progress_(progress) {
  if (kills > 0) thread_ = std::thread(&Chaos::run, this, kills, total, seed);
}

Chaos::~Chaos() { finish(); }

void Chaos::reached(std::size_t done) {
  done_ = done;
  done_.notify_one();
}

std::size_t Chaos::finish() {
  reached(kOver);
  if (thread_.joinable()) thread_.join();
  return killed_.size();
}

// A pool that breaks says so to the thread that waits for results; here it is only the end.
void Chaos::run(std::size_t kills, std::size_t total, std::uint64_t seed) try {
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < kills && wait_until(i * total / kills); ++i) {
    while (!kill_one(random())) {
      if (!wait_until(done_ + 1)) return;
    }
  }
} catch (const procpool::Error&) {
}

// False: the run is over.
bool Chaos::wait_until(std::size_t done) {
  std::size_t seen = done_;
  for (; seen < done; seen = done_) done_.wait(seen);
  return seen != kOver;
}

// False: every worker there is has been killed before and is about to be replaced.
bool Chaos::kill_one(std::uint64_t choice) {
  std::vector<pid_t> workers = pool_.pids();
  std::erase_if(workers, [this](pid_t worker) { return killed_.contains(worker); });
  if (workers.empty()) return false;
  const pid_t worker = workers[choice % workers.size()];
  if (::kill(worker, SIGKILL) != 0) return false;
  killed_.insert(worker);
  progress_.note("chaos: SIGKILL to worker " + std::to_string(worker));
  return true;
}

}  // namespace thumbs
