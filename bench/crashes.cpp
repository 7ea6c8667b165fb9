// From the call of a task that crashes to the exception that says so, beside a bare fork of this
// program that crashes and is waited for. The replacement that a pool starts is not counted on
// either side, but it is there before the next round.

#include <csignal>
#include <memory>
#include <procpool/errors.hpp>
#include <procpool/pool.hpp>
#include <stdexcept>

#include "bench/child.hpp"
#include "bench/contests.hpp"
#include "bench/tasks.hpp"
#include "bench/timing.hpp"

namespace bench {
namespace {

void crash() {
  std::signal(SIGSEGV, SIG_DFL);
  std::raise(SIGSEGV);
}

void crash_in(procpool::Pool& pool) {
  try {
    pool.apply(crash);
  } catch (const procpool::WorkerCrashed&) {
    return;
  }
  throw std::logic_error("the crash was not reported");
}

double pool_microseconds(procpool::Pool& pool) {
  const double time = seconds([&] { crash_in(pool); });
  pool.apply(no_op);
  return time * 1e6;
}

double fork_microseconds() {
  return seconds([] { wait_for(fork_child(crash)); }) * 1e6;
}

}  // namespace

std::vector<Contest> crashes(const Scale& scale) {
  const auto set_up = [] {
    return Sides{[pool = std::make_shared<procpool::Pool>(1)] { return pool_microseconds(*pool); },
                 {{"fork", "fork, SIGSEGV, wait", std::nullopt, fork_microseconds}}};
  };
  return {{"crash_to_exception", "us", Better::lower, scale.rounds(31), set_up}};
}

}  // namespace bench
