#pragma once

// A mutex in shared memory that survives its holder: the kernel knows which ones a thread holds, and
// when the thread ends in any way it marks them and wakes one who waits. (pthread's robust mutex. Its
// word can also be watched: futex_wait_any.)

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "base/deadline.hpp"

namespace procpool::inline v0::os {

enum class Taken {
  yes,
  from_the_dead,  // it is this thread's now: `repaired` must be called before `unlock`
  timeout,
  mine_already,   // and not recursive
};

/// Memory of zeros is none yet: `init` once. At most 2048 are held by one thread (the kernel's limit).
class RobustMutex {
 public:
  enum class Kind { plain, recursive };
  void init(Kind kind = Kind::plain);

  /// Throws std::system_error when it is no such mutex or a recursive one is held too often.
  Taken lock(Deadline until = never);
  Taken try_lock();
  void repaired() noexcept;
  /// False: not held by this thread.
  bool unlock() noexcept;

  // To watch for its holder's death.
  const std::atomic<std::uint32_t>& word() const noexcept;
  bool held() const noexcept;
  bool held_by_the_dead() const noexcept;
  bool held_by(pid_t thread) const noexcept;
  /// By the holder: its death wakes a watcher, or is nobody's concern any more.
  void announce() noexcept;
  void withdraw() noexcept;

 private:
  pthread_mutex_t mutex_;
};

}  // namespace procpool::inline v0::os
