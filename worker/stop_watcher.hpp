#pragma once

// What    The thread behind this_task::token in a worker: it makes a stop request of the words that
//         say which element is to stop (shm/element.hpp). It is started by the first token.
// Writers `word_`, `source_`: the task's thread, under the lock.
// Order   The sleeper reads `stop_changes` before it looks at `stop`; the supervisor writes `stop`
//         first. The task's thread looks at `stop` once itself after it has set `word_`.
// Death   It ends with the process. A copy that a task forks has no such thread, and its tokens are
//         never set.

#include <cstdint>
#include <mutex>
#include <stop_token>

#include "shm/layout.hpp"

namespace procpool::inline v0::worker {

class StopWatcher {
 public:
  /// The token of the element with this stop word.
  std::stop_token token(const shm::TaskHeader& words, std::uint64_t word);

 private:
  [[noreturn]] void watch(const shm::TaskHeader& words) noexcept;
  void look(const shm::TaskHeader& words);

  std::mutex lock_;
  std::uint64_t word_ = 0;
  std::stop_source source_{std::nostopstate};
  bool started_ = false;
};

/// This process's.
StopWatcher& stop_watcher();

}  // namespace procpool::inline v0::worker
