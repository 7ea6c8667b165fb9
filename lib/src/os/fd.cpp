#include "os/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/error.hpp"
#include "os/fork.hpp"
#include "os/host.hpp"

namespace procpool::inline v0::os {
namespace {

constexpr int first_high_number = 512;

void set_cloexec(int fd) { check(::fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl(F_SETFD)"); }

// The lowest free number >= `from`; -1 where there is none below the limit.
int duplicate_from(int fd, int from) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, from);
  if (copy < 0 && errno != EMFILE && errno != EINVAL) fail("fcntl(F_DUPFD_CLOEXEC)");
  return copy;
}

}  // namespace

Fd::Fd(int fd) noexcept : fd_(fd), generation_(fork_generation()) {}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this == &other) return *this;
  reset();
  fd_ = std::exchange(other.fd_, -1);
  generation_ = other.generation_;
  return *this;
}

int Fd::release() noexcept {
  if (fd_ >= 0) forget_guarded(fd_, generation_);
  return std::exchange(fd_, -1);
}

// close() is not repeated after EINTR: Linux has freed the number by then.
void Fd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  const unsigned generation = std::exchange(generation_, fork_generation());
  if (old < 0 || !forget_guarded(old, generation)) return;
  const int saved = errno;
  ::close(old);
  errno = saved;
}

Fd duplicate(int fd) {
  return Fd(check(::fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl(F_DUPFD_CLOEXEC)"));
}

Fd move_high(Fd fd) {
  if (fd.get() >= first_high_number) {
    set_cloexec(fd.get());
    return fd;
  }
  for (int from = std::min(first_high_number, descriptor_limit() - 1); from > fd.get(); --from) {
    Fd copy(duplicate_from(fd.get(), from));
    if (!copy) continue;
    return is_guarded(fd) ? guard(std::move(copy)) : std::move(copy);
  }
  set_cloexec(fd.get());
  return fd;
}

}  // namespace procpool::inline v0::os
