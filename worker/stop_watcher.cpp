#include "worker/stop_watcher.hpp"

#include <thread>

#include "base/deadline.hpp"
#include "os/event.hpp"
#include "os/signals.hpp"
#include "shm/atomics.hpp"

namespace procpool::inline v0::worker {

std::stop_token StopWatcher::token(const shm::TaskHeader& words, std::uint64_t word) {
  {
    const std::lock_guard lock(lock_);
    if (word_ == word) return source_.get_token();
    word_ = word;
    source_ = std::stop_source();
    if (!started_) {
      sigset_t before;
      const os::SignalsBlocked signals_are_for_the_task(before);
      std::thread([this, &words] { watch(words); }).detach();
      started_ = true;
    }
  }
  look(words);
  const std::lock_guard lock(lock_);
  return source_.get_token();
}

void StopWatcher::watch(const shm::TaskHeader& words) noexcept {
  for (;;) {
    const std::uint32_t seen = shm::load_ordered(words.stop_changes);
    look(words);
    os::futex_wait(words.stop_changes, seen, os::Scope::shared, never);
  }
}

void StopWatcher::look(const shm::TaskHeader& words) {
  std::stop_source source(std::nostopstate);
  {
    const std::lock_guard lock(lock_);
    if (word_ == 0 || shm::load_ordered(words.stop) != word_) return;
    source = source_;
  }
  source.request_stop();  // runs the callbacks of those who watch the token
}

StopWatcher& stop_watcher() {
  static auto* const watcher = new StopWatcher;  // its thread never ends
  return *watcher;
}

}  // namespace procpool::inline v0::worker
