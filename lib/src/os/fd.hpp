#pragma once

// An owned file descriptor. Descriptors of a pool are known to the fork guard (os/fork.hpp), which
// closes them in a child that the host program forks.

#include <utility>

namespace procpool::inline v0::os {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// A duplicate, close-on-exec.
Fd duplicate(int fd);
/// The same description at a number >= 512 (or as high as the limit allows), close-on-exec, so that
/// a task which closes or reuses small numbers does not hit it. Closes the old number.
Fd move_high(Fd fd);

}  // namespace procpool::inline v0::os
