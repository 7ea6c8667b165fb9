// From nothing to eight workers that are up, by each start method, beside eight bare forks of this
// program that each report once.

#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <procpool/pool.hpp>
#include <system_error>

#include "bench/child.hpp"
#include "bench/contests.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

constexpr int workers = 8;

double pool_milliseconds(procpool::StartMethod method) {
  std::optional<procpool::Pool> pool;
  procpool::PoolOptions options;
  options.processes = workers;
  options.start_method = method;
  return seconds([&] { pool.emplace(options); }) * 1e3;
}

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends_) close(end);
  }
  void put() const { transfer(write(ends_[1], "", 1)); }
  void take() const {
    char byte = 0;
    transfer(read(ends_[0], &byte, 1));
  }

 private:
  static void transfer(ssize_t count) {
    if (count != 1) throw std::system_error(errno, std::generic_category(), "a pipe");
  }
  std::array<int, 2> ends_{};
};

double fork_milliseconds() {
  const Pipe reports;
  std::array<pid_t, workers> children{};
  const double time = seconds([&] {
    for (pid_t& child : children) child = fork_child([&] { reports.put(); });
    for (int i = 0; i != workers; ++i) reports.take();
  });
  for (const pid_t child : children) wait_for(child);
  return time * 1e3;
}

Contest contest(const std::string& name, procpool::StartMethod method, const Scale& scale) {
  const auto set_up = [=] {
    return Sides{[=] { return pool_milliseconds(method); },
                 {{"fork", "8 bare forks", std::nullopt, fork_milliseconds}}};
  };
  return {"start_8/" + name, "ms", Better::lower, scale.rounds(15), set_up};
}

}  // namespace

std::vector<Contest> starts(const Scale& scale) {
  return {contest("forkserver", procpool::StartMethod::forkserver, scale),
          contest("fork", procpool::StartMethod::fork, scale),
          contest("spawn", procpool::StartMethod::spawn, scale)};
}

}  // namespace bench
