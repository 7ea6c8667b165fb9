// How tasks come in.

#include <memory>
#include <string>
#include <utility>

#include "os/advice.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"
#include "os/role.hpp"
#include "supervisor/call_bytes.hpp"
#include "supervisor/guarded.hpp"

namespace procpool::inline v0::supervisor {

using detail::Admission;
using detail::Batch;
using detail::Chunk;
using detail::Node;
using detail::Waiter;

namespace {

/// How many submissions pass between two looks at the results while every worker is supplied. Too
/// low: submitters read cache lines that workers write; too high: workers run dry.
constexpr unsigned submissions_per_look = 16;

}  // namespace

void Supervisor::check_mine() const {
  if (settings_.inert && os::main_has_begun()) {
    detail::throw_misuse("this pool was made before main and has no workers in a worker process: "
                         "make a Pool of its own there, in the function that uses it");
  }
  if (generation_ != os::fork_generation()) {
    detail::throw_misuse("this pool belongs to the process that made it, not to its forked copy");
  }
}

void Supervisor::check_open() const {
  if (!broken_.empty()) throw PoolBroken(broken_text());
  if (state_ == State::terminated) throw PoolTerminated("the pool was terminated");
  if (state_ == State::closed) throw PoolClosed("the pool was closed: it takes no more work");
  check_starts();
}

/// A pool made before main starts at `init`: in a main that does not call it, never.
void Supervisor::check_starts() const {
  if (os::initialised() || started_ || !os::main_has_begun()) return;
  detail::throw_misuse("procpool::init was not called, so the workers of this pool, made before "
                       "main, were not started: write procpool::init(argc, argv); as the first "
                       "line of main");
}

/// Nor does main begin while the thread that will run it waits for such a pool.
void Supervisor::check_waits(Deadline until) const {
  check_starts();
  if (os::initialised() || started_ || until != never || !os::on_main_thread()) return;
  detail::throw_misuse("this pool was made before main and starts at procpool::init, for which main "
                       "must begin: a wait for it before main would last for ever; wait in main");
}

bool Supervisor::submit(Node& node, Admission admission) {
  check_mine();
  node.is_batch = false;
  if (lies_in_slab(node)) {
    complete_in_slab(node);
  } else if (auto slab = slab_or_throw(node)) {
    attach_slab(node, std::move(slab));
  }
  const std::size_t bytes = node.payload.size();
  Lock lock = driver_.hold();
  check_open();
  if (!admit(lock, bytes, admission)) return false;
  accept_node(node);
  node.first = static_cast<std::uint32_t>(ledger_.entered());  // this_task::seed
  ledger_.enter(node, settings_.max_pending_bytes == 0 ? 0 : bytes);
  entered(node);
  supply(lock);
  return true;
}

void Supervisor::submit_batch(Batch& batch) {
  check_mine();
  const std::size_t bytes = batch.elements.total_bytes();
  auto all = Ledger::whole(batch);
  if (batch.extras && batch.extras->progress) callbacks_.start();
  Lock lock = driver_.hold();
  check_open();
  admit(lock, bytes, Admission::wait);
  accept_node(batch);
  ledger_.enter_batch(batch, std::move(all), settings_.max_pending_bytes == 0 ? 0 : bytes);
  entered(batch);
  supply(lock);
}

/// What its options say about it before anybody has it.
void Supervisor::entered(Node& node) {
  if (node.options != nullptr && node.options->stop.stop_requested() && !node.done()) {
    ledger_.cancel(node);
    withdraw(node);
  } else {
    make_way(priority_of(node));
  }
}

/// A thread that waits for room.
struct Supervisor::Submitter {
  static bool satisfied(const void* subject) {
    const auto& self = *static_cast<const Submitter*>(subject);
    const Supervisor& pool = *self.pool;
    return (pool.submitters_.front() == &self && pool.has_room_for(self.bytes)) ||
           pool.state_ != State::open || !pool.broken_.empty();
  }

  const Supervisor* pool;
  std::size_t bytes;
  Waiter waiter{.satisfied = satisfied, .subject = this};
};

bool Supervisor::has_room_for(std::size_t bytes) const {
  const std::size_t pending = ledger_.pending_bytes();
  return pending == 0 || pending + bytes <= settings_.max_pending_bytes;
}

/// Back-pressure, first come first served: else what is large would wait for as long as what is small
/// comes. A callback never waits: what it waits for may be behind it.
bool Supervisor::admit(Lock& lock, std::size_t bytes, Admission admission) {
  if (settings_.max_pending_bytes == 0 || callbacks_.in_one()) return true;
  if (submitters_.empty() && has_room_for(bytes)) return true;
  if (admission == Admission::decline) {
    let_go(lock);
    return false;
  }
  check_waits(never);
  Submitter self{this, bytes};
  submitters_.push_back(&self);
  while (!Submitter::satisfied(&self)) {
    driver_.wait(lock, self.waiter, ledger_.room_waiters, never);
  }
  std::erase(submitters_, &self);
  if (!submitters_.empty()) driver_.wake(submitters_.front()->waiter);
  check_open();
  return true;
}

bool Supervisor::hold(Node& node, std::size_t bytes, Admission admission) {
  check_mine();
  node.is_batch = false;
  Lock lock = driver_.hold();
  check_open();
  if (!admit(lock, bytes, admission)) return false;
  accept_node(node);
  node.first = static_cast<std::uint32_t>(ledger_.entered());
  ledger_.enter_held(node);
  let_go(lock);
  return true;
}

void Supervisor::release_held(Node& node, std::exception_ptr failed) {
  if (generation_ != os::fork_generation()) return;
  // Of the node only the payload is the caller's; others may look at the rest, under the lock.
  std::shared_ptr<channel::Slab> slab;
  if (!failed) {
    try {
      slab = slab_or_throw(node);
      if (slab) node.payload.lend({slab->mapping.data(), node.payload.size()}, slab);
    } catch (...) {
      failed = std::current_exception();
    }
  }
  Lock lock = driver_.hold();
  if (node.done()) {
    let_go(lock);
    return node.payload.clear();
  }
  if (slab) node.more().slab = std::move(slab);
  ledger_.release_held(node);
  attention_ = true;  // a closed pool may have waited for it with workers that have done their share
  if (failed) {
    ledger_.take(node);
    ledger_.fail(node, 1, [&failed] { return failed; });
    driver_.kick_background();
    return let_go(lock);
  }
  make_way(priority_of(node));
  supply(lock);
}

/// Null: it needs none.
std::shared_ptr<channel::Slab> Supervisor::slab_or_throw(const detail::Assignment& work) {
  try {
    if (fits_an_arena(work)) return nullptr;
    auto slab = copy_to_slab(*slabs_, work);
    watch_slabs();
    return slab;
  } catch (const std::exception& error) {
    throw EncodingError("a call of " + std::to_string(call_bytes(work)) +
                        " bytes cannot be sent: " + error.what() + os::advice_on(error.what()));
  }
}

/// From the caller's hands straight into an idle worker's slot. While all workers are supplied,
/// submitters look at the results now and then. What needs a whole turn is the background thread's.
void Supervisor::supply(Lock& lock) {
  if (saturated_ && ++submitted_ % submissions_per_look != 0) return let_go(lock);
  guarded([this] {
    if (saturated_) {
      collect();
      passing_ = true;
    }
    dispatch();
  });
  if (attention_) driver_.kick_background();
  let_go(lock);
}

}  // namespace procpool::inline v0::supervisor
