// What the tests of the os layer share: children that check something and say so by exit code,
// system calls that the kernel refuses, signals that interrupt everything.
#pragma once

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace procpool::test {

/// In a child: ends it with 1 and says why.
inline void require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "in the child: %s (errno %d)\n", what, errno);
  ::_exit(1);
}

inline int wait_status(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

inline pid_t start_child(const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid > 0) return pid;
  try {
    body();
    ::_exit(0);
  } catch (const std::exception& error) {
    require(false, error.what());
  }
  ::_exit(2);
}

/// True when every `require` of the child held.
inline bool holds_in_child(const std::function<void()>& body) {
  const int status = wait_status(start_child(body));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The text of the std::system_error that `body` throws; empty when it throws none.
inline std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

inline void limit(decltype(RLIMIT_NOFILE) what, rlim_t value) {
  rlimit both{value, value};
  require(::setrlimit(what, &both) == 0, "setrlimit");
}

/// Until there is something to read: of a pidfd, until its process has exited.
inline void wait_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  while (::poll(&entry, 1, -1) < 0 && errno == EINTR) continue;
}

/// For the rest of this process the call fails with `error`; with `argument` only where its second
/// argument is that.
inline void refuse(int call, int error, int argument = -1) {
  std::vector<sock_filter> program{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | (argument < 0 ? BPF_JGE : BPF_JEQ) | BPF_K,
               argument < 0 ? 0U : static_cast<unsigned>(argument), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  require(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  require(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "seccomp");
}

/// While one lives a signal arrives every 100 microseconds and restarts nothing.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, &before_);
    set(100);
  }
  ~SignalStorm() {
    set(0);
    ::sigaction(SIGALRM, &before_, nullptr);
  }
  SignalStorm(const SignalStorm&) = delete;
  SignalStorm& operator=(const SignalStorm&) = delete;

 private:
  static void set(long microseconds) {
    const itimerval value{{0, microseconds}, {0, microseconds}};
    ::setitimer(ITIMER_REAL, &value, nullptr);
  }
  struct sigaction before_ {};
};

/// One byte across processes: tell() here, wait() there. The end of the other side counts as told.
class Signpost {
 public:
  Signpost() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  ~Signpost() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Signpost(const Signpost&) = delete;
  Signpost& operator=(const Signpost&) = delete;

  void tell() { tell_number(1); }
  void tell_number(int number) {
    require(::write(ends_[1], &number, sizeof number) == sizeof number, "tell");
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  int wait() {
    int number = 0;
    while (::read(ends_[0], &number, sizeof number) < 0 && errno == EINTR) continue;
    return number;
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace procpool::test
