// The pool that the process shares.

#include <procpool/parallel_map.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include <procpool/errors.hpp>
#include <procpool/program.hpp>

#include "os/fork.hpp"

namespace procpool::inline v0 {

namespace {

PoolOptions by_default() {
  PoolOptions options;
  if (in_worker()) options.backend = Backend::sequential;
  options.idle_timeout = std::chrono::minutes(5);
  return options;
}

/// Of one process: a forked copy of the program leaves its parent's alone, with the lock in whatever
/// state it was.
struct Holder {
  const unsigned generation = os::fork_generation();
  std::mutex lock;
  PoolOptions options = by_default();
  std::list<Pool> pools;  // the last one is it; those before are over, but somebody may hold them
};

std::atomic<Holder*> present = nullptr;

bool is_ours(const Holder* holder) {
  return holder != nullptr && holder->generation == os::fork_generation();
}

/// When main has ended.
struct Closer {
  ~Closer() {
    if (is_ours(present)) delete present.load();
    present = nullptr;
  }
};

Holder& holder() {
  static const Closer closer;
  Holder* now = present;
  while (!is_ours(now)) {
    auto fresh = std::make_unique<Holder>();
    if (present.compare_exchange_strong(now, fresh.get())) return *fresh.release();
  }
  return *now;
}

}  // namespace

Pool& default_pool() {
  Holder& of = holder();
  const std::lock_guard lock(of.lock);
  if (of.pools.empty() || !of.pools.back().stats().open) of.pools.emplace_back(of.options);
  return of.pools.back();
}

void set_default_pool(PoolOptions options) {
  Holder& of = holder();
  const std::lock_guard lock(of.lock);
  if (!of.pools.empty()) {
    throw Misuse("set_default_pool: the default pool is in use already; call it before the first "
                 "parallel_map or default_pool()");
  }
  of.options = std::move(options);
  if (in_worker()) of.options.backend = Backend::sequential;
}

}  // namespace procpool::inline v0
