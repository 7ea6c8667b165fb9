#pragma once

// What this_task speaks to, wherever a task runs: a worker, a thread, the caller.

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>

namespace procpool::inline v0 {

class TaskContext {
 public:
  virtual bool stop_requested() noexcept = 0;
  virtual std::stop_token token() = 0;
  virtual void progress(std::size_t done, std::size_t total) = 0;
  virtual void log(std::string_view text) = 0;
  virtual unsigned attempt() noexcept = 0;
  virtual std::string_view name() noexcept = 0;
  virtual std::size_t index() noexcept = 0;
  virtual std::uint64_t seed() noexcept = 0;

 protected:
  ~TaskContext() = default;
};

/// The task that this thread runs; null: none. Tasks can nest (a task that submits to a sequential
/// pool), so the scope puts back what was.
class TaskScope {
 public:
  explicit TaskScope(TaskContext& context) noexcept;
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

 private:
  TaskContext* before_;
};

/// this_task::seed of an element of a map, and of a single call that came after so many others.
std::uint64_t element_seed(std::uint64_t index) noexcept;
std::uint64_t call_seed(std::uint64_t ordinal) noexcept;

}  // namespace procpool::inline v0
