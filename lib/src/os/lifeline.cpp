// Each worker opens its own description of the pipe's read end (through /proc), because the owner
// and signal of O_ASYNC belong to the description: duplicates and inherited numbers share one. The
// kernel raises the signal when the last write end is closed, whatever the worker is doing.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/worker_setup.hpp"

namespace procpool::inline v0::os {
namespace {

// What dies: the group this process leads, else (not a worker yet) this process alone.
pid_t victim() noexcept { return ::getpgrp() == ::getpid() ? -::getpid() : ::getpid(); }

Fd reopen(const Fd& tether) noexcept {
  const std::string path = "/proc/self/fd/" + std::to_string(tether.get());
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return Fd(fd);
}

bool arm(const Fd& own) noexcept {
  const int flags = ::fcntl(own.get(), F_GETFL);
  return flags >= 0 && ::fcntl(own.get(), F_SETOWN, victim()) == 0 &&
         ::fcntl(own.get(), F_SETSIG, SIGKILL) == 0 &&
         ::fcntl(own.get(), F_SETFL, flags | O_ASYNC) == 0;
}

// True when nobody holds the write end any more.
bool is_cut(int fd, int timeout) noexcept {
  pollfd entry{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, timeout);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && (entry.revents & (POLLHUP | POLLERR)) != 0;
}

void die() noexcept {
  ::kill(victim(), SIGKILL);
  ::_exit(1);  // not reached where SIGKILL is
}

// Ends when a task closes its descriptor: the poll then reports POLLNVAL, which is no cut.
void watch(int fd) {
  sigset_t before;
  const SignalsBlocked inherited_by_the_thread(before);  // which takes none from tasks
  std::thread([fd] {
    if (is_cut(fd, -1)) die();
  }).detach();
}

}  // namespace

Lifeline make_lifeline() {
  watch_forks();
  const ForkPause no_fork_sees_it_unguarded;
  std::array<int, 2> ends{};
  check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
  Fd tether = guard(Fd(ends[0]));
  return {guard(Fd(ends[1])), std::move(tether)};
}

Fd tether_to(const Fd& tether) {
  Fd own = reopen(tether);
  const bool armed = own && arm(own);
  Fd kept = move_high(armed ? std::move(own) : duplicate(tether.get()));
  if (is_cut(kept.get(), 0)) die();
  if (!armed) watch(kept.get());
  return kept;
}

}  // namespace procpool::inline v0::os
