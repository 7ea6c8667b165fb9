// Starting workers, and what becomes of the starts.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "supervisor/keys.hpp"
#include "supervisor/supervisor.hpp"

namespace procpool::inline v0::supervisor {

using namespace std::chrono_literals;

namespace {

/// How long a worker may take from the request to its hello. Too short: slow static initialisation
/// under `spawn` counts as a failure; too long: a stuck template or worker is noticed late.
constexpr auto start_patience = 30s;

bool is_gone(const std::exception& error) {
  const auto* const failed = dynamic_cast<const std::system_error*>(&error);
  return failed != nullptr && failed->code() == std::errc::broken_pipe;
}

}  // namespace

Worker* Supervisor::find(Ticket ticket) {
  const auto found = by_ticket_.find(ticket);
  return found == by_ticket_.end() ? nullptr : found->second;
}

void Supervisor::heal() {
  const bool over = state_ != State::open && ledger_.outstanding() == 0;
  if (over || !broken_.empty() || state_ == State::terminated) return;
  if (launcher_lost_) {
    if (!settings_.remake_launcher && std::ranges::any_of(places_, &Place::wants_worker)) {
      break_pool("the template process, a snapshot of this program, was lost");
    }
    return;
  }
  for (std::size_t place = 0; place != places_.size(); ++place) {
    if (places_[place].wants_worker()) want(place);
  }
}

/// Asks for a worker, or for a successor to the one that is there; now or when it is time for it.
void Supervisor::want(std::size_t place) {
  if (places_[place].wanted) return;
  const bool others_work = std::ranges::any_of(workers_, [](const auto& worker) {
    return worker->phase == Phase::ready && !(worker->spent && worker->hand.empty());
  });
  const auto delay = next_start(starts_, others_work);
  if (!delay) return break_pool(last_failure_, last_cause_);
  if (*delay > 0ms && Clock::now() < retry_at_) return driver_.at(retry_at_);
  places_[place].wanted = true;
  ++starts_under_way_;
  add_chore([this, place](Lock& lock) { start_worker(place, lock); });
}

/// A chore: memory, sockets and processes are made without the lock.
void Supervisor::start_worker(std::size_t place, Lock& lock) {
  const std::shared_ptr<Launcher> launcher = launcher_;
  const auto in_vain = [&] {  // also when places went and came meanwhile
    return state_ == State::terminated || !broken_.empty() || launcher_lost_ ||
           launcher != launcher_ || place >= places_.size() ||
           !(places_[place].wants_worker() || places_[place].wants_successor());
  };
  if (in_vain()) return start_is_over(place);
  const Ticket ticket = ++last_ticket_;
  lock.unlock();
  std::unique_ptr<Worker> made;
  std::string why;
  os::Fd socket;
  try {
    made = std::make_unique<Worker>(
        ticket, static_cast<int>(place),
        channel::StartFiles{page_memory_, lifeline_.tether, settings_.hooks, settings_.rules});
    socket = made->end.take_worker_socket();
  } catch (const std::exception& error) {
    why = error.what();
  }
  lock.lock();
  start_is_over(place);
  if (!made) return failed_to_start(why);
  if (in_vain()) {
    graveyard_.push_back(std::move(made));
    return;
  }
  Worker& worker = *made;
  workers_.push_back(std::move(made));
  by_ticket_[ticket] = &worker;
  Place& at = places_[place];
  (at.worker == nullptr ? at.worker : at.successor) = &worker;
  ++counts_.workers_started;
  try {
    driver_.watch_bells(worker.end.leader_bell(), worker.end.background_bell(),
                        key_of(Key::bell, ticket));
    driver_.watch(worker.end.control(), key_of(Key::control, ticket));
    if (!attach(worker, settings_.hook_state)) {
      throw std::runtime_error("the initializer names more shared state than a socket holds");
    }
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

void Supervisor::start_is_over(std::size_t place) {
  --starts_under_way_;
  if (place < places_.size()) places_[place].wanted = false;
  attention_ = true;  // somebody may wait for the last start to be over
}

void Supervisor::failed_to_start(const std::string& why, std::exception_ptr cause) {
  starts_.failed();
  last_failure_ = why;
  last_cause_ = std::move(cause);
  if (starting_) return break_pool(why, last_cause_);
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
    for (const auto& worker : workers_) {
      if (worker->pid == event.pid) worker->status = event.status;
    }
    return;
  }
  Worker* const worker = find(event.ticket);
  if (worker == nullptr) return;
  if (event.kind == LaunchEvent::Kind::failed || !event.pidfd) {
    bury(*worker);
    if (!event.why.empty()) return failed_to_start(event.why);
    // It was started, but there was no room here for the descriptor that came with the word of it.
    return failed_to_start("recvmsg: " + std::generic_category().message(EMFILE));
  }
  worker->pid = event.pid;
  worker->pidfd = std::move(event.pidfd);
  try {
    driver_.watch(worker->pidfd.get(), key_of(Key::exit, worker->ticket));
  } catch (const std::system_error& error) {
    worker->unwatched = true;
    kill(*worker);
    leave_place(*worker);
    return failed_to_start(error.what());
  }
  // It may have gone before anybody watched; and it may have been doomed before it had a pid.
  if (os::has_exited(worker->pidfd.get())) worker->exit_seen = true;
  if (!worker->violation.empty() || worker->phase == Phase::stopping ||
      state_ == State::terminated || !broken_.empty()) {
    kill(*worker);
  }
}

/// Workers of a lost template finish what they run; their deaths are still noticed, and named as far
/// as their own words go.
void Supervisor::lose_launcher() {
  launcher_lost_ = true;
  driver_.forget(launcher_->socket());
  bool started_some = false;
  std::vector<Worker*> all;  // burying changes the list
  for (const auto& worker : workers_) all.push_back(worker.get());
  for (Worker* const worker : all) {
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

}  // namespace procpool::inline v0::supervisor
