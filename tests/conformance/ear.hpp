#pragma once

#include <procpool/this_task.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <vector>

namespace procpool::test {

// Everything that tasks said, as it was heard on the callback thread.
class Ear {
 public:
  std::function<void(const TaskUpdate&)> listener() {
    return [this](const TaskUpdate& update) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(update);
    };
  }
  std::vector<TaskUpdate> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  bool has(const std::function<bool(const TaskUpdate&)>& wanted) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(heard_, wanted);
  }

 private:
  std::mutex mutex_;
  std::vector<TaskUpdate> heard_;
};

}  // namespace procpool::test
