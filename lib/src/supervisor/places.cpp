// Who sits where: workers that leave, successors that come, places that come and go.

#include <algorithm>
#include <string>
#include <utility>

#include "os/fork.hpp"
#include "supervisor/guarded.hpp"

namespace procpool::inline v0::supervisor {

namespace {

/// How many calls before its last a worker's successor is started, at most half of its share. Too few:
/// the place waits for the successor; too many: two processes for one place for longer.
constexpr unsigned warming_calls = 100;

}  // namespace

/// It gets nothing more; what waits in its hand goes to others when they are idle.
void Supervisor::retire(Worker& worker) {
  const Phase was = std::exchange(worker.phase, Phase::stopping);
  if (was != Phase::starting && was != Phase::initializing) {
    send_stop(worker);
  } else if (worker.pidfd) {
    kill(worker);
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

/// Towards max_tasks_per_child. While a worker does the last of its share its successor is warmed.
void Supervisor::count_call(Worker& worker) {
  ++worker.calls_given;
  const unsigned share = settings_.max_tasks_per_child;
  if (share == 0) return;
  if (worker.calls_given >= share) {
    worker.leaving = worker.spent = attention_ = true;
  } else if (!worker.leaving && share - worker.calls_given <= std::min(share / 2, warming_calls)) {
    worker.leaving = attention_ = true;
  }
}

/// A worker that is to leave does so when its successor is ready and its hand is empty, so that no
/// more run at once than there are places.
void Supervisor::replace_spent() {
  const bool more = state_ == State::open || ledger_.front() != nullptr;
  for (std::size_t i = 0; i != places_.size(); ++i) {
    Place& place = places_[i];
    if (place.worker == nullptr || place.worker->phase != Phase::ready) continue;
    if (place.wants_successor()) {
      if (more && !launcher_lost_ && broken_.empty()) want(i);
    } else if (place.successor != nullptr && place.successor->takes_calls()) {
      place.worker->spent |= place.worker->outgrown;
      if (!place.worker->spent || !place.worker->hand.empty()) continue;
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

/// There is work for so many workers more: as many places are wanted again, but for those that are
/// about to be filled anyway.
void Supervisor::wake_dormant(std::uint64_t wanted) {
  if (!settings_.idle_timeout) return;
  for (const Place& place : places_) {
    const bool coming =
        !place.dormant && (place.worker == nullptr || place.worker->phase < Phase::ready);
    if (coming && wanted != 0) --wanted;
  }
  for (Place& place : places_) {
    if (wanted == 0) return;
    if (!std::exchange(place.dormant, false)) continue;
    --wanted;
    attention_ = true;
  }
}

void Supervisor::resize(int processes) {
  check_mine();
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
    slabs_->serve(processes);
    dispatch();
  });
  attention_ = true;
  driver_.kick_background();
  let_go(lock);
}

}  // namespace procpool::inline v0::supervisor
