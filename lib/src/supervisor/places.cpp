// Who sits where: workers that leave, successors that come, places that come and go.

#include <algorithm>
#include <string>
#include <utility>

#include "os/fork.hpp"
#include "supervisor/guarded.hpp"

namespace procpool::inline v0::supervisor {

/// It gets nothing more; what waits in its hand goes to others when they are idle.
void Supervisor::retire(Worker& worker) {
  const Phase was = std::exchange(worker.phase, Phase::stopping);
  if (was != Phase::starting && was != Phase::initializing) {
    send_stop(worker);
  } else if (worker.pidfd) {
    launcher_->kill(worker.pid, worker.pidfd.get());
  }
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

/// A worker that has done its share leaves when its successor is ready and its hand is empty, so that
/// no more run at once than there are places.
void Supervisor::replace_spent() {
  const bool more = state_ == State::open || ledger_.front() != nullptr;
  for (std::size_t i = 0; i != places_.size(); ++i) {
    Place& place = places_[i];
    if (place.worker == nullptr || !place.worker->spent) continue;
    if (place.worker->phase != Phase::ready) continue;
    if (place.successor == nullptr) {
      if (more && !launcher_lost_ && broken_.empty()) want(i);
    } else if (place.successor->takes_calls() && place.worker->hand.empty()) {
      Worker& old = *std::exchange(place.worker, std::exchange(place.successor, nullptr));
      old.place = -1;
      ++counts_.workers_recycled;
      retire(old);
    }
  }
}

/// Workers without work leave after a while; their places wait for work.
void Supervisor::let_idle_go() {
  if (!settings_.idle_timeout || state_ != State::open) return;
  const Deadline now = Clock::now();
  for (Place& place : places_) {
    Worker* const worker = place.worker;
    if (worker == nullptr || !worker->idle()) continue;
    const Deadline due = worker->busy_since + *settings_.idle_timeout;
    if (now < due) {
      driver_.at(due);
      continue;
    }
    place.dormant = true;
    place.worker = nullptr;
    worker->place = -1;
    retire(*worker);
  }
}

/// There is work, and nobody takes it: one more place is wanted again, unless as many workers are
/// coming as there are calls. False: none was woken.
bool Supervisor::wake_dormant() {
  const auto coming = std::ranges::count_if(places_, [](const Place& place) {
    return !place.dormant && (place.worker == nullptr || place.worker->phase == Phase::starting ||
                              place.worker->phase == Phase::initializing);
  });
  if (static_cast<std::size_t>(coming) >= ledger_.waiting()) return false;
  for (Place& place : places_) {
    if (!std::exchange(place.dormant, false)) continue;
    attention_ = true;
    driver_.kick_background();
    return true;
  }
  return false;
}

void Supervisor::resize(int processes) {
  check_mine();
  if (processes < 1 || processes > most_processes) {
    throw Misuse("Number of processes must be at least 1 and at most " +
                 std::to_string(most_processes) + " (it is " + std::to_string(processes) + ")");
  }
  Lock lock = driver_.hold();
  check_open();
  guarded([&] {
    const auto count = static_cast<std::size_t>(processes);
    for (std::size_t i = count; i < places_.size(); ++i) {
      for (Worker* const worker : {places_[i].worker, places_[i].successor}) {
        if (worker == nullptr) continue;
        worker->place = -1;
        if (started_) retire(*worker);
      }
    }
    places_.resize(count);
    processes_ = processes;
    dispatch();
  });
  attention_ = true;
  driver_.kick_background();
  let_go(lock);
}

}  // namespace procpool::inline v0::supervisor
