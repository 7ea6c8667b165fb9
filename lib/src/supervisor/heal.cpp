// Starting workers, noticing their ends, settling what they had, and starting others.

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include <procpool/detail/descriptor.hpp>

#include "os/modules.hpp"
#include "supervisor/keys.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using detail::Assignment;
using namespace std::chrono_literals;

namespace {

/// How long a death waits for the template's word on how it came. Too short: "status unknown" on a
/// busy machine; too long: the task's error is late when the template is gone.
constexpr auto status_patience = 50ms;

/// How long a worker may take from the request to its hello. Too short: slow static initialisation
/// under `spawn` counts as a failure; too long: a stuck template or worker is noticed late.
constexpr auto start_patience = 30s;

bool is_gone(const std::exception& error) {
  const auto* const failed = dynamic_cast<const std::system_error*>(&error);
  return failed != nullptr && failed->code() == std::errc::broken_pipe;
}

std::string ending(const os::ExitStatus& status) {
  switch (status.how) {
    case os::ExitStatus::How::signaled: return "was killed by " + os::signal_name(status.value);
    case os::ExitStatus::How::exited: return "exited with code " + std::to_string(status.value);
    default:
      return "ended; how is unknown (the template process was lost, or the host program reaped it)";
  }
}

/// A call's bytes begin with its callable.
std::string task_name(const Assignment& work) {
  if (!work.is_chunk) {
    return work.descriptor->name(static_cast<const detail::Node&>(work).payload.bytes());
  }
  return work.descriptor->name(static_cast<const detail::Chunk&>(work).batch->elements.callable);
}

}  // namespace

Worker* Supervisor::find(Ticket ticket) {
  const auto found = by_ticket_.find(ticket);
  return found == by_ticket_.end() ? nullptr : found->second;
}

// ---- starting ------------------------------------------------------------------------------------

void Supervisor::heal() {
  const bool over = state_ != State::open && ledger_.outstanding() == 0;
  if (over || !broken_.empty() || state_ == State::terminated) return;
  if (launcher_lost_) {
    if (!settings_.remake_launcher && std::ranges::any_of(seats_, std::logical_not())) {
      break_pool("the template process, a snapshot of this program, was lost");
    }
    return;
  }
  bool others_work = false;
  for (const auto& worker : seats_) others_work |= worker && worker->phase == Phase::ready;
  const auto delay = next_start(starts_, others_work);
  for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
    if (seats_[seat] || wanted_[seat]) continue;
    if (!delay) return break_pool(last_failure_);
    if (*delay > 0ms && Clock::now() < retry_at_) return driver_.at(retry_at_);
    wanted_[seat] = true;
    add_chore([this, seat](Lock& lock) { start_worker(static_cast<int>(seat), lock); });
  }
}

/// A chore: memory, sockets and processes are made without the lock.
void Supervisor::start_worker(int seat, Lock& lock) {
  const auto at = static_cast<std::size_t>(seat);
  const std::shared_ptr<Launcher> launcher = launcher_;
  const auto in_vain = [&] {
    return state_ == State::terminated || !broken_.empty() || launcher_lost_ ||
           launcher != launcher_;
  };
  wanted_[at] = !in_vain();
  if (!wanted_[at]) {
    attention_ = true;  // somebody may wait for the last start to be over
    return;
  }
  const Ticket ticket = ++last_ticket_;
  lock.unlock();
  std::unique_ptr<Worker> made;
  std::string why;
  os::Fd socket;
  try {
    made = std::make_unique<Worker>(ticket, seat, page_memory_, lifeline_.tether);
    socket = made->end.take_worker_socket();
  } catch (const std::exception& error) {
    why = error.what();
  }
  lock.lock();
  wanted_[at] = false;
  attention_ = true;
  if (!made) return failed_to_start(why);
  if (in_vain()) {
    graveyard_.push_back(std::move(made));
    return;
  }
  Worker& worker = *made;
  seats_[at] = std::move(made);
  by_ticket_[ticket] = &worker;
  try {
    driver_.watch_bells(worker.end.leader_bell(), worker.end.background_bell(),
                        key_of(Key::bell, ticket));
    driver_.watch(worker.end.control(), key_of(Key::control, ticket));
    lock.unlock();
    launcher->launch(ticket, std::move(socket));
    lock.lock();
    launcher_seen_ = attention_ = true;
    if (find(ticket) != nullptr) driver_.at(worker.start_due = Clock::now() + start_patience);
  } catch (const std::exception& error) {
    if (!lock.owns_lock()) lock.lock();
    if (find(ticket) == nullptr) return;  // buried with its launcher meanwhile
    bury(worker);
    launcher_seen_ = true;
    if (!is_gone(error)) failed_to_start(error.what());  // else its loss is one failure, soon read
  }
}

void Supervisor::failed_to_start(const std::string& why) {
  starts_.failed();
  last_failure_ = why;
  if (starting_) return break_pool(why);
  retry_at_ = Clock::now() + next_start(starts_, true).value_or(0ms);
  attention_ = true;
  driver_.at(retry_at_);
}

void Supervisor::read_launcher() {
  launcher_seen_ = false;
  while (launcher_ && !launcher_lost_) {  // both sleepers may have been told of the loss
    std::optional<LaunchEvent> event = launcher_->next();
    if (!event) return;
    if (event->kind == LaunchEvent::Kind::lost) return lose_launcher();
    on_event(std::move(*event));
  }
}

void Supervisor::on_event(LaunchEvent event) {
  if (event.kind == LaunchEvent::Kind::exited) {
    for (const auto& worker : seats_) {
      if (worker && worker->pid == event.pid) worker->status = event.status;
    }
    return;
  }
  Worker* const worker = find(event.ticket);
  if (worker == nullptr) return;
  if (event.kind == LaunchEvent::Kind::failed || !event.pidfd) {
    bury(*worker);
    return failed_to_start(event.why);
  }
  worker->pid = event.pid;
  worker->pidfd = std::move(event.pidfd);
  driver_.watch(worker->pidfd.get(), key_of(Key::exit, worker->ticket));
  // It may have gone before anybody watched; and it may have been doomed before it had a pid.
  if (os::has_exited(worker->pidfd.get())) worker->exit_seen = true;
  if (!worker->violation.empty() || state_ == State::terminated || !broken_.empty()) {
    launcher_->kill(worker->pid, worker->pidfd.get());
  }
}

void Supervisor::said_hello(Worker& worker, const wire::Control& hello) {
  if (hello.number != wire::protocol_version) {
    return break_pool("a worker speaks another version of procpool's protocol");
  }
  if (hello.value != os::program_identity() && !settings_.foreign_workers) {
    return break_pool("a worker runs another build of this program");
  }
  worker.phase = Phase::ready;
  starts_.succeeded();
}

/// Workers of a lost template finish what they run; their deaths are still noticed, and named as far
/// as their own words go.
void Supervisor::lose_launcher() {
  launcher_lost_ = true;
  driver_.forget(launcher_->socket());
  bool started_some = false;
  for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
    Worker* const worker = seats_[seat].get();
    if (worker == nullptr) continue;
    started_some |= worker->phase == Phase::starting;
    if (!worker->pidfd) {
      bury(*worker);
    } else if (settings_.remake_launcher) {
      retire(*worker);
    }
  }
  // One failure, however many were under way; without it a template that dies of its first fork
  // would be made again and again without a pause.
  if (started_some) failed_to_start("the template process was lost");
  if (finishing_ || state_ == State::terminated || !settings_.remake_launcher) return;
  add_chore([this](Lock& lock) { remake_launcher(lock); });
}

void Supervisor::remake_launcher(Lock& lock) {
  lock.unlock();
  std::shared_ptr<Launcher> made;
  std::string why;
  try {
    made = settings_.make_launcher();
  } catch (const std::exception& error) {
    why = error.what();
  }
  lock.lock();
  if (!made) return break_pool(why);
  launcher_.swap(made);  // the old one's workers are known by pidfd and need it no more
  launcher_lost_ = false;
  driver_.watch(launcher_->socket(), key_of(Key::launcher, 0));
  attention_ = launcher_seen_ = true;
  lock.unlock();
  made.reset();
  lock.lock();
}

/// It gets nothing more; what waits in its hand goes to others when they are idle.
void Supervisor::retire(Worker& worker) {
  const bool starting = std::exchange(worker.phase, Phase::stopping) == Phase::starting;
  if (starting) return launcher_->kill(worker.pid, worker.pidfd.get());
  send_stop(worker);
}

/// False: no slot for it now.
bool Supervisor::send_stop(Worker& worker) {
  if (worker.stop_sent) return true;
  if (!has_room(worker, 1)) return false;
  Holding message{.sequence = worker.end.published()};
  worker.end.send({wire::CallKind::stop, wire::Place::slot, 0, 0, 0, 0}, {});
  worker.hand.put(message);
  worker.end.ring();
  worker.stop_sent = true;
  return true;
}

// ---- ending --------------------------------------------------------------------------------------

void Supervisor::reap() {
  for (std::size_t seat = 0; seat != seats_.size(); ++seat) {
    Worker* const worker = seats_[seat].get();
    if (worker == nullptr) continue;
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
  collect_from(worker);  // what it published stands
  read_control(worker);
  settle_dead(worker);
  const bool never_ready = worker.phase == Phase::starting;
  const std::string how = "a worker " + ending(*worker.status) + " before it was ready";
  bury(worker);
  if (never_ready) failed_to_start(how);
}

/// The claim words say what it had started; they are believed only if an honest worker can have left
/// them so: in order, at most one element running, nothing begun after it.
void Supervisor::settle_dead(Worker& worker) {
  bool legal = worker.violation.empty();
  bool end_seen = false;
  std::vector<std::uint32_t> begun;  // each word is read once: what it shares may outlive it
  worker.hand.each([&](Holding& holding) {
    const auto started = worker.end.started(holding.sequence, holding.count, holding.limit);
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
  worker.hand.each([&](Holding& holding) {
    const std::uint32_t until = *next++;
    settle_dead(worker, holding, legal ? until : holding.limit);
  });
}

/// Elements up to `begun` count as started: they fail, or run again if their caller allows it. The
/// others are sent on as they are.
void Supervisor::settle_dead(Worker& worker, Holding& holding, std::uint32_t begun) {
  Assignment& work = *holding.work;
  const std::uint32_t settled = holding.settled;
  const std::uint32_t limit = holding.limit;
  worker.hand.close(holding);
  Assignment* again = nullptr;
  Assignment* rest = nullptr;
  if (begun < limit) rest = &ledger_.remainder(work, begun, limit - begun);
  if (settled < begun && work.retries != 0) {
    again = &ledger_.remainder(work, settled, begun - settled);
    --again->retries;
    ++again->attempt;
  }
  for (std::uint32_t i = settled; i < begun && again == nullptr; ++i) {
    ledger_.settle_error(work, crash(worker, work));
  }
  if (&work != again && &work != rest) ledger_.finish(work);
  if (rest != nullptr) resend(*rest);
  if (again != nullptr) resend(*again);
}

void Supervisor::resend(Assignment& work) {
  if (state_ == State::terminated || !broken_.empty()) {
    return ledger_.fail(work, work.count, [this] { return end_error(); });
  }
  ledger_.push_front(work);
}

std::exception_ptr Supervisor::crash(const Worker& worker, const Assignment& work) const {
  CrashReport report;
  report.pid = worker.pid;
  report.attempt = work.attempt;
  const os::ExitStatus& status = *worker.status;
  if (status.how == os::ExitStatus::How::signaled) report.signal = status.value;
  if (status.how == os::ExitStatus::How::exited) report.exit_code = status.value;
  report.text = "worker " + std::to_string(worker.pid) + " " + ending(status) + " while it ran " +
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
  graveyard_.push_back(std::move(seats_[static_cast<std::size_t>(worker.seat)]));
  attention_ = true;
}

}  // namespace procpool::inline v0::supervisor
