// What nobody wants, or what takes too long, is stopped: taken back where it has not started, else by
// the ladder stop token → SIGTERM → SIGKILL.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "os/fork.hpp"
#include "shm/element.hpp"
#include "supervisor/guarded.hpp"

namespace procpool::inline v0::supervisor {

using detail::Batch;
using detail::Node;
using detail::LibraryRef;
using namespace std::chrono_literals;

namespace {

/// How long a worker may take to begin what it has been given, when that has a timeout: then it is
/// stopped, or stuck, and replaced. Too short: a busy machine costs workers; too long: a task waits.
constexpr auto begin_patience = 1s;

}  // namespace

// ---- cancelling ----------------------------------------------------------------------------------

bool Supervisor::cancel(Node& node) {
  if (generation_ != os::fork_generation()) return false;
  const auto kept = LibraryRef<Node>::share(&node);
  Lock lock = driver_.hold();
  const bool was_done = node.done();
  if (!was_done) {
    guarded([&] {
      ledger_.cancel(node);
      withdraw(node);
      dispatch();
    });
    // Somebody may sleep until nothing is left, in join; and ladders have their times.
    attention_ = true;
    driver_.kick_background();
  }
  let_go(lock);
  return !was_done;
}

/// It is done; what can be taken back of it is. What runs of it is found by `watch_time`.
void Supervisor::withdraw(Node& node) {
  if (node.is_batch) return discard_started(static_cast<Batch&>(node));
  if (!ledger_.withdraw(node)) take_back_all(node);
}

void Supervisor::discard(Batch& batch) noexcept {
  if (generation_ != os::fork_generation()) return;
  Lock lock = driver_.hold();
  if (!batch.done()) {
    guarded([&] {
      discard_started(batch);
      dispatch();
    });
  }
  // Somebody may sleep until nothing is left, in join.
  if (state_ != State::open && ledger_.outstanding() == 0) driver_.kick_background();
  let_go(lock);
}

/// Nothing of the batch that has not started will: not what waits here, and not what waits in hands.
void Supervisor::discard_started(Batch& batch) {
  ledger_.discard(batch);
  take_back_all(batch);
}

void Supervisor::take_back_all(const Node& node) {
  for (const auto& worker : workers_) {
    if (!worker->violation.empty()) continue;
    worker->hand.each([&](Holding& holding) {
      if (&Ledger::node_of(*holding.work) == &node) take_back_all(*worker, holding);
    });
  }
}

/// What has not started of it is dropped. False: something has.
bool Supervisor::take_back_all(Worker& worker, Holding& holding) {
  detail::Assignment* const rest = reclaim(worker, holding, holding.settled);
  if (rest == nullptr) return false;
  const bool whole = holding.work == nullptr;
  ledger_.drop(*rest);
  return whole;
}

void Supervisor::cancel_waiting() {
  check_mine();
  Lock lock = driver_.hold();
  guarded([this] {
    unwanted_ = true;
    ledger_.cancel_waiting();
    for (const auto& worker : workers_) {
      if (!worker->violation.empty()) continue;
      worker->hand.each([&](Holding& holding) { take_back_all(*worker, holding); });
    }
  });
  attention_ = true;
  driver_.kick_background();
  let_go(lock);
}

// ---- the ladder ----------------------------------------------------------------------------------

bool Supervisor::timed_out(const Worker& worker, const Holding& holding) const {
  return worker.ladder && worker.ladder->timed_out && worker.ladder->sequence == holding.sequence &&
         worker.ladder->element == holding.settled;
}

void Supervisor::begin_stop(Worker& worker, Holding& holding, bool timed_out) {
  const TaskOptions* const options = holding.work->options;
  const CancelOptions graces = options == nullptr ? CancelOptions{} : options->cancel;
  const std::uint64_t running = worker.end.running();
  const bool flat = holding.stage_block != no_block && shm::is_of_slot(running, holding.sequence);
  const std::uint32_t element = flat ? shm::element_of(running) : holding.settled;
  worker.ladder = {.sequence = holding.sequence,
                   .element = element,
                   .due = deadline_after(graces.stop_grace),
                   .term_grace = graces.term_grace,
                   .timed_out = timed_out};
  worker.end.request_stop(holding.sequence, element);
  driver_.at(worker.ladder->due);
}

/// When what it is for is over. What runs next may be to be stopped as well.
void Supervisor::end_ladder(Worker& worker) {
  worker.ladder.reset();
  worker.end.withdraw_stop();
  attention_ = true;
}

void Supervisor::climb(Worker& worker) {
  Ladder& ladder = *worker.ladder;
  const Deadline now = Clock::now();
  if (now < ladder.due) return driver_.at(ladder.due);
  if (!worker.pidfd) return;
  if (ladder.step == Ladder::Step::asked) {
    ladder.step = Ladder::Step::termed;
    ladder.due = deadline_after(ladder.term_grace);
    os::send_signal(worker.pidfd.get(), SIGTERM);
    driver_.at(ladder.due);
  } else if (ladder.step == Ladder::Step::termed) {
    ladder.step = Ladder::Step::killed;
    ladder.due = never;
    kill(worker);
  }
}

/// What its present element wants to be looked at for: it is unwanted, or it runs out of time. The
/// time counts from the first look that sees it started, so that it never has less than it was promised.
void Supervisor::watch_time(Worker& worker) {
  Holding* const holding = worker.hand.first();
  if (holding == nullptr) return;
  if (Ledger::node_of(*holding->work).done()) {
    if (!take_back_all(worker, *holding)) begin_stop(worker, *holding, false);
    return;
  }
  if (!first_limit(*holding->work)) return;
  const auto started = worker.end.started(holding->sequence, holding->count, holding->limit);
  const Deadline now = Clock::now();
  if (!started || *started <= holding->settled) return watch_start(worker, *holding->work);
  if (worker.running_since == never) worker.running_since = now;
  const Duration ran = now - worker.running_since;
  const TaskOptions& limits = *holding->work->options;
  if (limits.soft_timeout) watch_soft_timeout(worker, *holding, ran);
  if (!limits.timeout) return;
  const auto left = *limits.timeout - ran;
  if (left > Duration::zero()) return driver_.at(deadline_after(left));
  begin_stop(worker, *holding, true);
}

/// It has not begun what it was given. Only for the sake of a timeout it is given up for that.
void Supervisor::watch_start(Worker& worker, const detail::Assignment& work) {
  const Duration waits = Clock::now() - worker.busy_since;
  if (waits < begin_patience || !has_timeout(work)) {
    const Duration pause = std::min<Duration>(waits / 2, begin_patience);
    return driver_.at(deadline_after(std::max(first_look(*first_limit(work)), pause)));
  }
  while (Holding* const last = worker.hand.last()) {
    if (!give_up(worker, *last)) return;  // it has begun just now
  }
  if (worker.pidfd) kill(worker);
}

void Supervisor::watch_times() {
  for (const auto& worker : workers_) {
    if (!worker->violation.empty() || worker->phase == Phase::starting) continue;
    wait_for_stack(*worker);
    if (worker->ladder) {
      climb(*worker);
    } else {
      watch_time(*worker);
    }
  }
}

}  // namespace procpool::inline v0::supervisor
