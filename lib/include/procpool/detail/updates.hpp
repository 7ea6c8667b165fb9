#pragma once

// What    What a running task says (this_task.hpp) on its way to those who listen.
// Writers `add`: whoever collects from the worker. `listen`: any thread. `deliver`: the callback
//         thread. All under the lock here; listeners are called without it.
// Bounds  Progress that is not delivered yet is replaced by the next; of log lines the newest
//         `most_lines` are kept. A worker can say as much as it likes.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <procpool/this_task.hpp>

namespace procpool::inline v0::detail {

class TaskUpdates {
 public:
  using Listener = std::function<void(const TaskUpdate&)>;

  /// True: `deliver` is to be called back.
  bool listen(Listener listener) {
    const std::lock_guard lock(lock_);
    listeners_.push_back(std::make_shared<const Listener>(std::move(listener)));
    if (!said_) return false;
    has_progress_ = true;
    return !std::exchange(under_way_, true);
  }
  /// The same.
  bool add(TaskUpdate update) {
    const std::lock_guard lock(lock_);
    if (update.log.empty()) {
      last_ = std::move(update);
      said_ = true;
      has_progress_ = true;
    } else {
      update.done = last_.done;
      update.total = last_.total;
      lines_.push_back(std::move(update));
      if (lines_.size() > most_lines) lines_.pop_front();
    }
    return !listeners_.empty() && !std::exchange(under_way_, true);
  }
  void deliver() {
    std::deque<TaskUpdate> updates;
    std::vector<std::shared_ptr<const Listener>> listeners;
    {
      const std::lock_guard lock(lock_);
      updates.swap(lines_);
      if (std::exchange(has_progress_, false)) updates.push_back(last_);
      listeners = listeners_;
      under_way_ = false;
    }
    for (const TaskUpdate& update : updates) {
      for (const auto& listener : listeners) (*listener)(update);
    }
  }

 private:
  static constexpr std::size_t most_lines = 1000;

  std::mutex lock_;
  std::vector<std::shared_ptr<const Listener>> listeners_;
  std::deque<TaskUpdate> lines_;
  TaskUpdate last_;
  bool said_ = false;
  bool has_progress_ = false;
  bool under_way_ = false;
};

}  // namespace procpool::inline v0::detail
