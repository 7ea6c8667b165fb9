#include "base/task_context.hpp"

#include <utility>

#include <procpool/this_task.hpp>

namespace procpool::inline v0 {

namespace {

thread_local TaskContext* present = nullptr;

/// splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated outputs.
std::uint64_t mixed(std::uint64_t z) noexcept {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

TaskScope::TaskScope(TaskContext& context) noexcept : before_(std::exchange(present, &context)) {}
TaskScope::~TaskScope() { present = before_; }

std::uint64_t element_seed(std::uint64_t index) noexcept { return mixed(index); }
std::uint64_t call_seed(std::uint64_t ordinal) noexcept { return mixed(mixed(~ordinal)); }

namespace this_task {

bool stop_requested() noexcept { return present != nullptr && present->stop_requested(); }
std::stop_token token() { return present == nullptr ? std::stop_token() : present->token(); }
void progress(std::size_t done, std::size_t total) {
  if (present != nullptr) present->progress(done, total);
}
void log(std::string_view text) {
  if (present != nullptr && !text.empty()) present->log(text);
}
unsigned attempt() noexcept { return present == nullptr ? 0 : present->attempt(); }
std::string_view name() noexcept {
  return present == nullptr ? std::string_view() : present->name();
}
std::size_t index() noexcept { return present == nullptr ? 0 : present->index(); }
std::uint64_t seed() noexcept { return present == nullptr ? 0 : present->seed(); }

}  // namespace this_task
}  // namespace procpool::inline v0
