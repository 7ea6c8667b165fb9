#include "faults/faults.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <string_view>

namespace procpool::test {
namespace {

// Written by the thread that makes a Failing, while no other thread of this process is in the library;
// `left` by whoever calls.
std::atomic<const Fault*> failing = nullptr;
std::atomic<int> left = 0;
pid_t home = 0;

// Whether this call is the one. errno is set then.
bool fails(std::string_view call) {
  const Fault* const fault = failing.load();
  if (fault == nullptr || call != fault->call || getpid() != home) return false;
  if (left.fetch_sub(1) != 1) return false;
  errno = fault->error;
  return true;
}

}  // namespace

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> faults = {
      {"memfd_create", EMFILE},   {"posix_fallocate", ENOSPC}, {"mmap", ENOMEM},
      {"madvise", ENOMEM},      {"eventfd", EMFILE},
      {"socketpair", EMFILE},   {"pipe2", EMFILE},           {"epoll_create1", EMFILE},
      {"epoll_ctl", ENOMEM},    {"timerfd_create", EMFILE},  {"fcntl", EMFILE},
      {"sendmsg", ENOBUFS},     {"recvmsg", ENOMEM},         {"fork", EAGAIN},
      {"pthread_create", EAGAIN}, {"pidfd_open", EMFILE},    {"open", EMFILE},
  };
  return faults;
}

Failing::Failing(const Fault& fault, int nth) {
  home = getpid();
  left = nth;
  failing = &fault;
}
Failing::~Failing() { failing = nullptr; }
bool Failing::happened() const { return left <= 0; }

}  // namespace procpool::test

// ---- the functions -------------------------------------------------------------------------------

using procpool::test::fails;

extern "C" {

int __real_memfd_create(const char*, unsigned);
int __wrap_memfd_create(const char* name, unsigned flags) {
  return fails("memfd_create") ? -1 : __real_memfd_create(name, flags);
}

int __real_posix_fallocate(int, off_t, off_t);
int __wrap_posix_fallocate(int fd, off_t offset, off_t length) {
  return fails("posix_fallocate") ? errno : __real_posix_fallocate(fd, offset, length);
}

void* __real_mmap(void*, std::size_t, int, int, int, off_t);
void* __wrap_mmap(void* at, std::size_t length, int prot, int flags, int fd, off_t offset) {
  if (fails("mmap")) return reinterpret_cast<void*>(-1);
  return __real_mmap(at, length, prot, flags, fd, offset);
}

int __real_madvise(void*, std::size_t, int);
int __wrap_madvise(void* at, std::size_t length, int advice) {
  return fails("madvise") ? -1 : __real_madvise(at, length, advice);
}

int __real_eventfd(unsigned, int);
int __wrap_eventfd(unsigned count, int flags) {
  return fails("eventfd") ? -1 : __real_eventfd(count, flags);
}

int __real_socketpair(int, int, int, int*);
int __wrap_socketpair(int domain, int type, int protocol, int* fds) {
  return fails("socketpair") ? -1 : __real_socketpair(domain, type, protocol, fds);
}

int __real_pipe2(int*, int);
int __wrap_pipe2(int* fds, int flags) { return fails("pipe2") ? -1 : __real_pipe2(fds, flags); }

int __real_epoll_create1(int);
int __wrap_epoll_create1(int flags) {
  return fails("epoll_create1") ? -1 : __real_epoll_create1(flags);
}

// Adding needs memory; the other operations cannot fail.
int __real_epoll_ctl(int, int, int, epoll_event*);
int __wrap_epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  if (operation == EPOLL_CTL_ADD && fails("epoll_ctl")) return -1;
  return __real_epoll_ctl(epoll, operation, fd, event);
}

int __real_timerfd_create(int, int);
int __wrap_timerfd_create(int clock, int flags) {
  return fails("timerfd_create") ? -1 : __real_timerfd_create(clock, flags);
}

// Copies of descriptors, which may find no room; the other commands do not fail on one that is open.
int __real_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (command == F_DUPFD_CLOEXEC && fails("fcntl")) return -1;
  return __real_fcntl(fd, command, argument);
}

ssize_t __real_sendmsg(int, const msghdr*, int);
ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  return fails("sendmsg") ? -1 : __real_sendmsg(fd, message, flags);
}

ssize_t __real_recvmsg(int, msghdr*, int);
ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  return fails("recvmsg") ? -1 : __real_recvmsg(fd, message, flags);
}

pid_t __real_fork();
pid_t __wrap_fork() { return fails("fork") ? -1 : __real_fork(); }

int __real_open(const char*, int, ...);
int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = va_arg(arguments, unsigned);
  va_end(arguments);
  return fails("open") ? -1 : __real_open(path, flags, mode);
}

long __real_syscall(long, ...);
long __wrap_syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long all[6];
  for (long& each : all) each = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_pidfd_open && fails("pidfd_open")) return -1;
  return __real_syscall(number, all[0], all[1], all[2], all[3], all[4], all[5]);
}

// std::thread's call is in its library, where the linker wraps nothing: this one is found first.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return fails("pthread_create") ? errno : create(thread, attributes, start, argument);
}

}  // extern "C"
