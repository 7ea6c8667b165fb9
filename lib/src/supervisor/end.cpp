// Noticing that workers have ended, and settling what they had.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "channel/worker_end.hpp"
#include "os/oom.hpp"
#include "shm/element.hpp"
#include "supervisor/crash_text.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using namespace std::chrono_literals;

namespace {

/// How long a death waits for the template's word on how it came. Too short: "status unknown" on a
/// busy machine; too long: the task's error is late when the template is gone.
constexpr auto status_patience = 500ms;

/// How often one is looked for that was killed because its end could not be watched for. Too short: a
/// busy supervisor; too long: join and the next start wait.
constexpr auto unwatched_patience = 10ms;

/// How long a worker that has said that it crashes may take to be gone: a core dump is written, or a
/// program that is given it reads. Too short: dumps are cut off; too long: join waits for one that is
/// stuck.
constexpr auto dump_patience = 60s;

}  // namespace

void Supervisor::reap() {
  std::vector<Worker*> all;  // reaping changes the list
  for (const auto& worker : workers_) all.push_back(worker.get());
  for (Worker* const worker : all) {
    if (worker->phase == Phase::stopping) send_stop(*worker);
    if (worker->phase == Phase::starting) check_start(*worker);
    if (worker->has_announced_crash()) settle_crash(*worker);
    if (worker->dying && !worker->killed) check_end(*worker);
    if (worker->exit_seen || worker->unwatched) reap(*worker);
  }
}

/// SIGKILL to its whole group.
void Supervisor::kill(Worker& worker) {
  worker.killed = true;
  launcher_->kill(worker.pid, worker.pidfd.get());
}

/// It has said that it dies, and how: nobody waits until it is gone, which takes as long as its core
/// dump. Its place is another's at once.
void Supervisor::settle_crash(Worker& worker) {
  worker.last_words = worker.end.last_words();
  if (!worker.last_words) {
    violated(worker, "its last words are not such as a worker can leave");
    return;
  }
  settle_end(worker);
  worker.dying = true;
  worker.phase = Phase::stopping;
  worker.stop_sent = true;  // nothing more can be said to it
  worker.ladder.reset();
  leave_place(worker);
  worker.end_due = deadline_after(dump_patience);
}

/// Of a worker that is dying.
void Supervisor::check_end(Worker& worker) {
  if (Clock::now() < worker.end_due) return driver_.at(worker.end_due);
  kill(worker);
}

/// A worker, or the template that was asked for it, that does not get on is stopped or stuck.
void Supervisor::check_start(Worker& worker) {
  if (worker.start_due == never) return;
  if (Clock::now() < worker.start_due) return driver_.at(worker.start_due);
  worker.start_due = never;
  if (worker.pidfd) {
    kill(worker);
  } else {
    launcher_->give_up();
  }
}

void Supervisor::reap(Worker& worker) {
  if (!os::has_exited(worker.pidfd.get())) {
    worker.exit_seen = false;
    if (worker.unwatched) driver_.at(Clock::now() + unwatched_patience);
    return;
  }
  if (!worker.status) worker.status = launcher_->status(worker.pid, worker.pidfd.get());
  if (!worker.status && !worker.dying) {
    const Deadline now = Clock::now();
    if (worker.status_due == never) worker.status_due = now + status_patience;
    if (launcher_lost_ || now >= worker.status_due) {
      worker.status.emplace();
    } else {
      return driver_.at(worker.status_due);
    }
  }
  if (!worker.dying) {
    worker.last_words = worker.end.last_words();
    name_killer(worker);
    settle_end(worker);
  }
  bury(worker);
}

/// What it had, and what becomes of its place.
void Supervisor::settle_end(Worker& worker) {
  if (worker.phase == Phase::starting) read_control(worker);  // its hello, before what followed it
  collect_from(worker);  // what it published stands
  read_control(worker);
  settle_dead(worker);
  const bool told = worker.ladder && worker.ladder->step != Ladder::Step::asked;
  if (worker.phase == Phase::ready && !told) ++counts_.workers_crashed;
  start_ended(worker);
}

/// Of a SIGKILL that is not ours. Each kill that the kernel counts explains one worker's.
void Supervisor::name_killer(Worker& worker) {
  const auto& status = worker.status;
  const bool killed = status && status->how == os::ExitStatus::How::signaled && status->value == SIGKILL;
  if (!killed || worker.killed) return;
  const std::uint64_t kills = oom_kills_now();
  worker.oom = kills > oom_kills_explained_;
  if (worker.oom) ++oom_kills_explained_;
}

/// Of this control group, or else of the machine.
std::uint64_t Supervisor::oom_kills_now() {
  const os::OomKills kills = os::oom_kills();
  return kills.group ? *kills.group : kills.machine.value_or(0);
}

/// If it never got ready, why.
void Supervisor::start_ended(Worker& worker) {
  const bool initializing = worker.phase == Phase::initializing;
  if ((worker.phase != Phase::starting && !initializing) || worker.place < 0) return;
  if (worker.start_error.empty()) {
    return failed_to_start("a worker " + ending(worker, settings_.limits) +
                           (initializing ? " in the pool's initializer" : " before it was ready"));
  }
  const auto at = static_cast<std::size_t>(worker.place);
  places_[at].wanted = true;  // no other start there before this one has counted as failed
  ++starts_under_way_;
  add_chore([this, at, hook = worker.failed_hook,
             record = std::move(worker.start_error)](Lock& lock) {
    lock.unlock();  // rebuilding the error runs code of the user's
    const std::exception_ptr cause = detail::rebuild_error(record);
    const std::string why = wire::hook_failed(hook, cause);
    lock.lock();
    failed_to_start(why, cause);
    start_is_over(at);
  });
}

/// The claim words say what it had started; they are believed only if an honest worker can have left
/// them so: in order, at most one element running, nothing begun after it.
void Supervisor::settle_dead(Worker& worker) {
  hear_stack(worker);
  do_without_stack(worker);
  bool legal = worker.violation.empty();
  bool end_seen = false;
  std::vector<std::uint32_t> begun;  // each word is read once: what it shares may outlive it
  worker.hand.each([&](Holding& holding) {
    auto started = worker.end.started(holding.sequence, holding.count, holding.limit);
    if (started && holding.stage_block != no_block) started = take_ended(worker, holding, *started);
    begun.push_back(started.value_or(0));
    if (!started || *started < holding.settled || *started > holding.settled + 1 ||
        (end_seen && *started != 0)) {
      legal = false;
    } else {
      end_seen |= *started != holding.limit || holding.settled != holding.limit;
    }
  });
  if (!legal && worker.violation.empty()) worker.violation = "its claim words are not legal";
  auto next = begun.begin();
  std::vector<Assignment*> to_resend;
  worker.hand.each([&](Holding& holding) {
    const std::uint32_t until = *next++;
    settle_dead(worker, holding, legal ? until : holding.limit, to_resend);
  });
  for (Assignment* const work : to_resend) resend(*work);
}

/// Of a flat chunk elements are claimed many at a time, and `running` says which of them was run; those
/// before it have ended, and their values are there. Returns what was started, nullopt: no honest
/// worker leaves this behind.
Ended Supervisor::take_ended(Worker& worker, Holding& holding, std::uint32_t claimed) {
  if (claimed < holding.settled) return std::nullopt;
  const std::uint64_t running = worker.end.running();
  if (!shm::is_of_slot(running, holding.sequence)) return holding.settled;  // claimed, not begun
  const std::uint32_t element = shm::element_of(running);
  if (element < holding.settled || element > claimed) return std::nullopt;
  if (element != holding.settled) settle_run(worker, holding, element - holding.settled);
  return element < claimed ? element + 1 : element;
}

/// Elements up to `begun` count as started: they fail, or run again if their caller allows it. The
/// others are sent on as they are.
void Supervisor::settle_dead(Worker& worker, Holding& holding, std::uint32_t begun,
                             std::vector<Assignment*>& to_resend) {
  Assignment& work = *holding.work;
  const bool late = timed_out(worker, holding);
  const std::uint32_t settled = holding.settled;
  const std::uint32_t limit = holding.limit;
  worker.hand.close(holding);
  if (Ledger::node_of(work).done()) return ledger_.abandon(work, limit - settled);
  Assignment* again = nullptr;
  Assignment* rest = nullptr;
  if (settled < begun && work.retries != 0) {
    again = &ledger_.remainder(work, settled, begun - settled);
    once_more(*again);
  }
  if (begun < limit) rest = &ledger_.remainder(work, begun, limit - begun);
  Assignment* later = nullptr;
  for (std::uint32_t i = settled; i < begun && again == nullptr; ++i) {
    later = late ? settle_failure(work, wire::Failure::timeout, timeout_error(work))
                 : settle_failure(work, wire::Failure::crash, crash(worker, work, i));
  }
  if (&work != again && &work != rest && &work != later) ledger_.finish(work);
  if (again != nullptr) to_resend.push_back(again);
  if (rest != nullptr) to_resend.push_back(rest);
}

/// It goes on waiting for a worker, unless nobody wants it any more.
void Supervisor::resend(Assignment& work) {
  if (state_ == State::terminated || !broken_.empty()) {
    return ledger_.fail(work, work.count, [this] { return end_error(); });
  }
  const detail::Node& node = Ledger::node_of(work);
  const bool discarded = work.is_chunk && static_cast<const detail::Batch&>(node).discarded;
  if (unwanted_ || node.done() || discarded) return ledger_.drop(work);
  ledger_.put_back(work);
}

std::exception_ptr Supervisor::crash(const Worker& worker, const Assignment& work,
                                     std::uint32_t element) const {
  std::string what = "ran " + task_name(work);
  what += work.is_chunk ? " for element " + std::to_string(work.first + element) + " (attempt "
                        : " (attempt ";
  return crash_error(worker, settings_.limits, what + std::to_string(work.attempt) + ")", work.attempt);
}

/// The worker is gone, or never was.
void Supervisor::bury(Worker& worker) {
  driver_.forget_bells(worker.end.leader_bell(), worker.end.background_bell());
  driver_.forget(worker.end.control());
  if (worker.pidfd) driver_.forget(worker.pidfd.get());
  by_ticket_.erase(worker.ticket);
  leave_place(worker);
  const auto at = std::ranges::find(workers_, &worker, &std::unique_ptr<Worker>::get);
  graveyard_.push_back(std::move(*at));
  workers_.erase(at);
  attention_ = true;
}

void Supervisor::leave_place(Worker& worker) {
  if (worker.place >= 0) {
    Place& place = places_[static_cast<std::size_t>(worker.place)];
    if (place.worker == &worker) place.worker = std::exchange(place.successor, nullptr);
    if (place.successor == &worker) place.successor = nullptr;
  }
  worker.place = -1;
  attention_ = true;
}

}  // namespace procpool::inline v0::supervisor
