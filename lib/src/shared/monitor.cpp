#include "shared/monitor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include <procpool/errors.hpp>

#include "os/process.hpp"

namespace procpool::inline v0::shared {

using os::Taken;

namespace {

/// What cannot be watched is looked at so often: a process whose thread ended before it, and seats
/// beyond those that the kernel watches at once. Too short: sleepers cost processor time; too long:
/// such a death is noticed late.
constexpr auto look_for_others = std::chrono::milliseconds(20);

constexpr auto watch_more = static_cast<std::uint32_t>(Reason::watch);

}  // namespace

void Monitor::init(MonitorMemory& memory) {
  memory.latch.init();
}

Monitor::Monitor(detail::SharedMemory& place) : place_(&place), memory_(&in<MonitorMemory>(place)) {
  enter();
}

Monitor::~Monitor() {
  if (!inside_) return;
  if (to_leave_ != nullptr) leave(*to_leave_);
  exit();
}

void Monitor::enter() {
  const Taken taken = memory_->latch.lock();
  inside_ = true;
  if (taken != Taken::from_the_dead) return;
  bury();
  for (std::uint32_t i = 0; i != used(); ++i) wake(memory_->seats[i], Reason::look);
  memory_->latch.repaired();
}

void Monitor::exit() {
  inside_ = false;
  memory_->latch.unlock();
}

// ---- seats ---------------------------------------------------------------------------------------

Seat* Monitor::mine() const {
  const pid_t thread = os::this_thread();
  for (std::uint32_t i = 0; i != used(); ++i) {
    if (memory_->seats[i].life.held_by(thread)) return &memory_->seats[i];
  }
  return nullptr;
}

Seat& Monitor::sit() {
  if (Seat* const seat = mine()) return *seat;
  for (std::uint32_t i = 0; i != most_seats; ++i) {
    Seat& seat = memory_->seats[i];
    if (i == used()) {
      seat.life.init();
    } else if (seat.life.held() || seat.life.held_by_the_dead()) {
      continue;
    }
    seat.life.lock();
    place_->pin();
    seat.pid = os::this_pid();
    seat.started = os::this_thread() == seat.pid ? 0 : os::started_at(seat.pid);
    seat.life.announce();
    if (i == used()) {
      shm::store_release(memory_->used, i + 1);
      for (std::uint32_t j = 0; j != i; ++j) wake(memory_->seats[j], Reason::watch);
    }
    return seat;
  }
  throw Misuse("more than " + std::to_string(most_seats) +
               " threads wait for one shared object, or hold it: use several");
}

void Monitor::leave(Seat& seat) {
  seat.ticket = 0;
  if (seat.holds != 0) return;
  seat.life.withdraw();
  seat.life.unlock();
  place_->unpin();
}

bool Monitor::bury() {
  bool any = false;
  orphans_ = false;
  for (std::uint32_t i = 0; i != used(); ++i) {
    if (memory_->seats[i].life.held_by_the_dead()) any |= bury(memory_->seats[i]);
  }
  for (std::uint32_t i = 0; any && i != used(); ++i) wake(memory_->seats[i], Reason::look);
  return any;
}

/// What a thread held that ended before its process is its process's.
bool Monitor::bury(Seat& seat) {
  if (seat.holds != 0 && seat.started != 0 && os::started_at(seat.pid) == seat.started) {
    seat.ticket = 0;
    orphans_ = true;
    return false;
  }
  if (seat.holds != 0) ++memory_->deaths;
  if (seat.ticket != 0) ++memory_->lost;
  seat.holds = 0;
  seat.ticket = 0;
  seat.life.lock();
  seat.life.repaired();
  seat.life.withdraw();
  seat.life.unlock();
  return true;
}

bool Monitor::take_death() {
  if (memory_->deaths == 0) return false;
  --memory_->deaths;
  return true;
}

bool Monitor::take_lost() {
  const bool some = memory_->lost != 0;
  memory_->lost = 0;
  return some;
}

// ---- holding -------------------------------------------------------------------------------------

std::uint64_t Monitor::held() const {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i != used(); ++i) sum += memory_->seats[i].holds;
  return sum;
}

void Monitor::hold_one() { ++sit().holds; }

Seat* Monitor::to_release() const {
  Seat* somebodys = nullptr;
  Seat* processes = nullptr;
  const pid_t thread = os::this_thread();
  for (std::uint32_t i = 0; i != used(); ++i) {
    Seat& seat = memory_->seats[i];
    if (seat.holds == 0) continue;
    if (seat.life.held_by(thread)) return &seat;
    (seat.pid == os::this_pid() ? processes : somebodys) = &seat;
  }
  return processes != nullptr ? processes : somebodys;
}

bool Monitor::release_one() {
  Seat* const seat = to_release();
  if (seat == nullptr) return false;
  about_to_change();
  --seat->holds;
  if (seat->life.held_by(os::this_thread())) to_leave_ = seat;
  return true;
}

// ---- waiting -------------------------------------------------------------------------------------

Seat& Monitor::line_up(std::uint32_t topic) {
  Seat& seat = sit();
  to_leave_ = &seat;
  shm::store_release(seat.wake, 0U);
  seat.topic = topic;
  if (seat.ticket == 0) seat.ticket = ++memory_->tickets;
  return seat;
}

std::size_t Monitor::watch_others(const Seat& seat, os::Watched* words) {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i != used() && count != os::most_watched - 1; ++i) {
    const auto& life = memory_->seats[i].life;
    if (&memory_->seats[i] != &seat) words[count++] = {&life.word(), life.word()};
  }
  return count;
}

Reason Monitor::sleep(Seat& seat, Deadline until) {
  std::array<os::Watched, os::most_watched> words;
  words[0] = {&seat.wake, 0};
  const auto nothing_yet = [&seat] { return shm::load_acquire(seat.wake) <= watch_more; };
  for (bool in_time = true; in_time && nothing_yet();) {
    if (bury()) continue;
    shm::store_release(seat.wake, 0U);
    const std::size_t others = watch_others(seat, &words[1]);
    const bool sees_all = !orphans_ && others + 1 >= used();
    const Deadline end = sees_all ? until : std::min(until, Clock::now() + look_for_others);
    exit();
    in_time = os::futex_wait_any({words.data(), others + 1}, end) ||
              (end != until && Clock::now() < until);
    enter();
  }
  return nothing_yet() ? Reason::timeout : Reason{shm::load_acquire(seat.wake)};
}

Reason Monitor::wait(std::uint32_t topic, Deadline until) { return sleep(line_up(topic), until); }

void Monitor::about_to_change() {
  const auto waits = [](const Seat& seat) { return seat.ticket != 0; };
  if (std::any_of(memory_->seats, memory_->seats + used(), waits)) to_leave_ = &sit();
}

void Monitor::wake(Seat& seat, Reason reason) {
  const auto rank = static_cast<std::uint32_t>(reason);
  if (seat.ticket == 0 || shm::load_hint(seat.wake) >= rank) return;
  shm::store_release(seat.wake, rank);
  os::futex_wake(seat.wake, 1, os::Scope::shared);
}

bool Monitor::wake_one(std::uint32_t topic) {
  Seat* first = nullptr;
  for (std::uint32_t i = 0; i != used(); ++i) {
    Seat& seat = memory_->seats[i];
    if (seat.ticket == 0 || seat.topic != topic || shm::load_hint(seat.wake) > watch_more) continue;
    if (&seat == to_leave_) continue;
    if (first == nullptr || seat.ticket < first->ticket) first = &seat;
  }
  if (first != nullptr) wake(*first, Reason::look);
  return first != nullptr;
}

void Monitor::wake_all(std::uint32_t topic, Reason reason) {
  for (std::uint32_t i = 0; i != used(); ++i) {
    Seat& seat = memory_->seats[i];
    if (seat.topic == topic) wake(seat, reason);
  }
}

}  // namespace procpool::inline v0::shared
