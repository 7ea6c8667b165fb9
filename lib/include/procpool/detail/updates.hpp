#pragma once

// What    What a running task says (this_task.hpp) on its way to those who listen.
// Writers `add`: whoever collects from the worker. `listen`: any thread. `deliver`: the callback
//         thread. All under the lock here; listeners are called without it.
// Bounds  Progress that is not delivered yet is replaced by the next; of log lines the newest
//         `most_lines` are kept; while nobody listens, the last word only. A worker can say as much as
//         it likes.

#include <deque>
#include <exception>
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
  bool listen(Listener call) {
    const std::lock_guard lock(lock_);
    ears_.push_back(std::make_shared<Ear>(Ear{std::move(call), said_}));
    return said_ && !std::exchange(under_way_, true);
  }
  /// The same.
  bool add(TaskUpdate update) {
    const std::lock_guard lock(lock_);
    if (update.log.empty()) {
      progress_ = update;
    } else {
      update.done = progress_.done;
      update.total = progress_.total;
    }
    last_ = std::move(update);
    said_ = true;
    if (ears_.empty()) return false;
    if (last_.log.empty()) {
      has_progress_ = true;
    } else {
      lines_.push_back(last_);
      if (lines_.size() > most_lines) lines_.pop_front();
    }
    return !std::exchange(under_way_, true);
  }
  bool heard() {
    const std::lock_guard lock(lock_);
    return !ears_.empty();
  }
  /// Throws what the first listener threw that did, after all were called.
  void deliver() {
    std::deque<TaskUpdate> updates;
    TaskUpdate last;
    std::vector<std::shared_ptr<Ear>> ears;
    {
      const std::lock_guard lock(lock_);
      updates.swap(lines_);
      if (std::exchange(has_progress_, false)) updates.push_back(progress_);
      last = last_;
      ears = ears_;
      under_way_ = false;
    }
    std::exception_ptr failed;
    for (const auto& ear : ears) {
      if (std::exchange(ear->wants_last, false) && updates.empty()) say(*ear, last, failed);
      for (const TaskUpdate& update : updates) say(*ear, update, failed);
    }
    if (failed) std::rethrow_exception(failed);
  }

 private:
  struct Ear {
    Listener call;
    bool wants_last;  // what was said before it came; the callback thread's, once it is here
  };
  static constexpr std::size_t most_lines = 1000;

  static void say(const Ear& ear, const TaskUpdate& update, std::exception_ptr& failed) {
    try {
      ear.call(update);
    } catch (...) {
      if (!failed) failed = std::current_exception();
    }
  }

  std::mutex lock_;
  std::vector<std::shared_ptr<Ear>> ears_;
  std::deque<TaskUpdate> lines_;
  TaskUpdate last_;      // of either kind
  TaskUpdate progress_;  // the last
  bool said_ = false;
  bool has_progress_ = false;
  bool under_way_ = false;
};

}  // namespace procpool::inline v0::detail
