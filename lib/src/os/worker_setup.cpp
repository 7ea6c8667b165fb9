#include "os/worker_setup.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/close_range.h>
#include <sys/syscall.h>
#include <algorithm>
#include <array>
#include <cerrno>

#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/host.hpp"
#include "os/process.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROCPOOL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROCPOOL_SANITIZED 1
#endif
#endif
#ifndef PROCPOOL_SANITIZED
#define PROCPOOL_SANITIZED 0
#endif

namespace procpool::inline v0::os {
namespace {

constexpr std::array crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

// A sanitizer's own handlers write its report: they stay.
bool belongs_to_sanitizer(int signal) {
  return PROCPOOL_SANITIZED != 0 &&
         std::find(crashes.begin(), crashes.end(), signal) != crashes.end();
}

void set_disposition(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // EINVAL: SIGKILL, SIGSTOP and the two signals that glibc keeps for itself.
  if (::sigaction(signal, &action, nullptr) != 0 && errno != EINVAL) fail("sigaction");
}

// What the program wants done about crashes it wants done in workers too (crash_signals.hpp).
bool is_crash_handler(int signal) {
  if (std::find(crashes.begin(), crashes.end(), signal) == crashes.end()) return false;
  struct sigaction now {};
  if (::sigaction(signal, nullptr, &now) != 0) return false;
  return (now.sa_flags & SA_SIGINFO) != 0 ||
         (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
}

void reset_signals() {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (!belongs_to_sanitizer(signal) && !is_crash_handler(signal)) set_disposition(signal, SIG_DFL);
  }
  set_disposition(SIGINT, SIG_IGN);
  set_disposition(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  check(::sigprocmask(SIG_SETMASK, &none, nullptr), "sigprocmask");
}

int open_retrying(const char* path, int flags) noexcept {
  int fd = -1;
  do {
    fd = ::open(path, flags);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

void detach_stdin() {
  Fd null(check(open_retrying("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null"));
  if (null.get() == STDIN_FILENO) {  // it was closed: what we opened took its place
    check(::fcntl(STDIN_FILENO, F_SETFD, 0), "fcntl(F_SETFD)");
    null.release();
    return;
  }
  int result = 0;
  do {
    result = ::dup2(null.get(), STDIN_FILENO);
  } while (result < 0 && errno == EINTR);
  check(result, "dup2");
}

void lead_own_group() {
  if (::getpgrp() != ::getpid()) check(::setpgid(0, 0), "setpgid");
}

// Kernels before 5.9, and sandboxes that do not know the call.
void close_one_by_one(unsigned first, unsigned last) noexcept {
  const unsigned end = static_cast<unsigned>(std::max(descriptor_limit(), 1)) - 1;
  for (unsigned fd = first; fd <= std::min(last, end); ++fd) ::close(static_cast<int>(fd));
}

void close_between(unsigned first, unsigned last) noexcept {
  if (first > last) return;
  if (::syscall(SYS_close_range, first, last, 0) != 0) close_one_by_one(first, last);
}

}  // namespace

void name_process(const char* name) {
  check(::prctl(PR_SET_NAME, name, 0, 0, 0), "prctl(PR_SET_NAME)");
}

void let_lead_group(pid_t child) noexcept { ::setpgid(child, child); }

void become_worker(const char* name) {
  reset_signals();
  detach_stdin();
  lead_own_group();
  name_process(name);
  watch_forks();
}

void become_template(const char* name) {
  become_worker(name);
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)");
}

void close_all_but(const int* keep, int count) noexcept {
  unsigned first = 3;
  for (;;) {
    unsigned next = ~0U;  // the lowest number >= first that stays
    for (int i = 0; i < count; ++i) {
      const auto kept = static_cast<unsigned>(keep[i]);  // -1 becomes the largest: none
      if (kept >= first) next = std::min(next, kept);
    }
    close_between(first, next == ~0U ? ~0U : next - 1);
    if (next == ~0U) break;
    first = next + 1;
  }
  forget_all_guarded_but(keep, count);
}

}  // namespace procpool::inline v0::os
