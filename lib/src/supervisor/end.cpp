// Noticing that workers have ended, and settling what they had.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include "channel/worker_end.hpp"
#include "os/call_filter.hpp"
#include "shm/element.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using namespace std::chrono_literals;

namespace {

/// How long a death waits for the template's word on how it came. Too short: "status unknown" on a
/// busy machine; too long: the task's error is late when the template is gone.
constexpr auto status_patience = 50ms;

std::string ending_of(const os::ExitStatus& status) {
  switch (status.how) {
    case os::ExitStatus::How::signaled: return "was killed by " + os::signal_name(status.value);
    case os::ExitStatus::How::exited: return "exited with code " + std::to_string(status.value);
    default:
      return "ended; how is unknown (the template process was lost, or the host program reaped it)";
  }
}

}  // namespace

void Supervisor::reap() {
  std::vector<Worker*> all;  // reaping changes the list
  for (const auto& worker : workers_) all.push_back(worker.get());
  for (Worker* const worker : all) {
    if (worker->phase == Phase::stopping) send_stop(*worker);
    if (worker->phase == Phase::starting) check_start(*worker);
    if (worker->exit_seen) reap(*worker);
  }
}

/// A worker, or the template that was asked for it, that does not get on is stopped or stuck.
void Supervisor::check_start(Worker& worker) {
  if (worker.start_due == never) return;
  if (Clock::now() < worker.start_due) return driver_.at(worker.start_due);
  worker.start_due = never;
  if (worker.pidfd) {
    launcher_->kill(worker.pid, worker.pidfd.get());
  } else {
    launcher_->give_up();
  }
}

void Supervisor::reap(Worker& worker) {
  if (!os::has_exited(worker.pidfd.get())) {
    worker.exit_seen = false;
    return;
  }
  if (!worker.status) worker.status = launcher_->status(worker.pid, worker.pidfd.get());
  if (!worker.status) {
    const Deadline now = Clock::now();
    if (worker.status_due == never) worker.status_due = now + status_patience;
    if (launcher_lost_ || now >= worker.status_due) {
      worker.status.emplace();
    } else {
      return driver_.at(worker.status_due);
    }
  }
  if (worker.phase == Phase::starting) read_control(worker);  // its hello, before what followed it
  collect_from(worker);  // what it published stands
  read_control(worker);
  settle_dead(worker);
  const bool told = worker.ladder && worker.ladder->step != Ladder::Step::asked;
  if (worker.phase == Phase::ready && !told) ++counts_.workers_crashed;
  start_ended(worker);
  bury(worker);
}

/// If it never got ready, why.
void Supervisor::start_ended(Worker& worker) {
  const bool initializing = worker.phase == Phase::initializing;
  if ((worker.phase != Phase::starting && !initializing) || worker.place < 0) return;
  if (worker.start_error.empty()) {
    return failed_to_start("a worker " + ending(worker) +
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
  for (std::uint32_t i = settled; i < begun && again == nullptr; ++i) {
    ledger_.settle_error(work, late ? timeout_error(work) : crash(worker, work));
  }
  if (&work != again && &work != rest) ledger_.finish(work);
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

/// How it ended, and why where that is one of its rules.
std::string Supervisor::ending(const Worker& worker) const {
  const os::ExitStatus& status = *worker.status;
  const os::ResourceLimits& limits = settings_.limits;
  std::string text = ending_of(status);
  if (status.how == os::ExitStatus::How::signaled && status.value == SIGXCPU &&
      limits.cpu_seconds != os::unlimited) {
    text += ", for it had used the " + std::to_string(limits.cpu_seconds) +
            " s of CPU time that PoolOptions::limits allows,";
  }
  if (status.how == os::ExitStatus::How::signaled && status.value == SIGKILL && !worker.ladder &&
      limits.cpu_seconds != os::unlimited) {
    text += " (as the kernel does a second after the " + std::to_string(limits.cpu_seconds) +
            " s of CPU time that PoolOptions::limits allows, if SIGXCPU is blocked)";
  }
  if (status.how == os::ExitStatus::How::signaled && status.value == SIGSYS) {
    const auto call = worker.end.refused_call();
    if (call) text += ", for its sandbox does not allow the system call " + os::call_name(*call) + ",";
  }
  if (status.how == os::ExitStatus::How::exited && limits.memory != os::unlimited &&
      status.value == channel::exit_not_started) {
    text += ", for which " + std::to_string(limits.memory) +
            " bytes of memory (PoolOptions::limits) may be too little,";
  }
  return text;
}

std::exception_ptr Supervisor::crash(const Worker& worker, const Assignment& work) const {
  CrashReport report;
  report.pid = worker.pid;
  report.attempt = work.attempt;
  const os::ExitStatus& status = *worker.status;
  if (status.how == os::ExitStatus::How::signaled) report.signal = status.value;
  if (status.how == os::ExitStatus::How::exited) report.exit_code = status.value;
  report.text = "worker " + std::to_string(worker.pid) + " " + ending(worker) + " while it ran " +
                task_name(work) + " (attempt " + std::to_string(work.attempt) + ")";
  if (!worker.violation.empty()) report.text += "; protocol violation: " + worker.violation;
  return std::make_exception_ptr(WorkerCrashed(std::move(report)));
}

/// The worker is gone, or never was.
void Supervisor::bury(Worker& worker) {
  driver_.forget_bells(worker.end.leader_bell(), worker.end.background_bell());
  driver_.forget(worker.end.control());
  if (worker.pidfd) driver_.forget(worker.pidfd.get());
  by_ticket_.erase(worker.ticket);
  if (worker.place >= 0) {
    Place& place = places_[static_cast<std::size_t>(worker.place)];
    if (place.worker == &worker) place.worker = std::exchange(place.successor, nullptr);
    if (place.successor == &worker) place.successor = nullptr;
  }
  const auto at = std::ranges::find(workers_, &worker, &std::unique_ptr<Worker>::get);
  graveyard_.push_back(std::move(*at));
  workers_.erase(at);
  attention_ = true;
}

}  // namespace procpool::inline v0::supervisor
