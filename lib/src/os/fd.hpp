#pragma once

// An owned file descriptor. Descriptors of a pool are known to the fork guard (os/fork.hpp), which
// closes them in a child that the host program forks.

#include <utility>

namespace procpool::inline v0::os {

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept;
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)), generation_(other.generation_) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives it up, unguarded.
  int release() noexcept;
  /// Closes it, unless the fork guard has done so already: the number may be somebody else's now.
  void reset(int fd = -1) noexcept;

  /// fork_generation() when the number was taken over.
  unsigned generation() const noexcept { return generation_; }

 private:
  int fd_ = -1;
  unsigned generation_ = 0;
};

/// A duplicate, close-on-exec.
Fd duplicate(int fd);
/// The same description at a number >= 512 (or as high as the limit allows), close-on-exec, so that
/// a task which closes or reuses small numbers does not hit it. Closes the old number. Where no
/// higher number is free it stays what it is. Stays guarded if it was.
Fd move_high(Fd fd);

}  // namespace procpool::inline v0::os
