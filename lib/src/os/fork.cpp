// Two locks, always taken in this order: `pause` (ForkPause, the prepare handler), then `lock` (the
// table; guard, forget, the prepare handler). The forking thread holds both across fork, so the
// child finds the table whole and can unlock what its only thread owns.

#include "os/fork.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "os/error.hpp"
#include "os/process.hpp"

namespace procpool::inline v0::os {
namespace {

// What is known of one descriptor number.
struct Slot {
  unsigned closed_below = 0;  // the guard has closed what owners of earlier generations held here
  bool guarded = false;
};

struct Registry {
  std::mutex pause;
  std::mutex lock;
  std::vector<Slot> slots;  // by number
  std::atomic<bool> in_use{false};
  std::atomic<unsigned> generation{0};
};

// Never destroyed: descriptors are closed until the very end of the program.
Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

thread_local bool own_fork = false;

void before_fork() {
  registry().pause.lock();
  registry().lock.lock();
}

void after_fork_in_parent() {
  registry().lock.unlock();
  registry().pause.unlock();
}

void close_guarded(Registry& r) {
  const unsigned generation = r.generation + 1;
  for (std::size_t fd = 0; fd < r.slots.size(); ++fd) {
    if (!r.slots[fd].guarded) continue;
    ::close(static_cast<int>(fd));
    r.slots[fd] = {generation, false};
  }
  r.generation = generation;
}

void after_fork_in_child() {
  if (!own_fork) close_guarded(registry());
  after_fork_in_parent();
}

Slot* find(Registry& r, int fd) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  return index < r.slots.size() ? &r.slots[index] : nullptr;
}

}  // namespace

Fd guard(Fd fd) {
  if (!fd) return fd;
  watch_forks();
  Registry& r = registry();
  const std::lock_guard held(r.lock);
  const auto index = static_cast<std::size_t>(fd.get());
  if (index >= r.slots.size()) r.slots.resize(index + 1);
  r.slots[index].guarded = true;
  r.in_use = true;
  return fd;
}

bool is_guarded(const Fd& fd) noexcept {
  Registry& r = registry();
  if (!fd || !r.in_use) return false;
  const std::lock_guard held(r.lock);
  const Slot* slot = find(r, fd.get());
  return slot != nullptr && slot->guarded && fd.generation() >= slot->closed_below;
}

bool forget_guarded(int fd, unsigned generation) noexcept {
  Registry& r = registry();
  if (!r.in_use) return true;
  const std::lock_guard held(r.lock);
  Slot* slot = find(r, fd);
  if (slot == nullptr) return true;
  if (generation < slot->closed_below) return false;
  slot->guarded = false;
  return true;
}

void forget_all_guarded_but(const int* keep, int count) noexcept {
  Registry& r = registry();
  const std::lock_guard held(r.lock);
  for (std::size_t fd = 0; fd < r.slots.size(); ++fd) {
    if (std::find(keep, keep + count, static_cast<int>(fd)) == keep + count) r.slots[fd] = {};
  }
}

void watch_forks() {
  static const int result =
      ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  if (result != 0) fail_with(result, "pthread_atfork");
}

unsigned fork_generation() noexcept { return registry().generation; }

int fork_unguarded() {
  struct Mark {
    Mark() { own_fork = true; }
    ~Mark() { own_fork = false; }
  } const mark;
  return fork_process();
}

ForkPause::ForkPause() { registry().pause.lock(); }
ForkPause::~ForkPause() { registry().pause.unlock(); }

}  // namespace procpool::inline v0::os
