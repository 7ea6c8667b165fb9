#include "ledger/task_text.hpp"

#include <chrono>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0::ledger {

namespace {

std::span<const std::byte> callable_of(const detail::Assignment& work) {
  if (work.is_chunk) return static_cast<const detail::Chunk&>(work).batch->elements.callable;
  return static_cast<const detail::Node&>(work).payload.bytes();  // a call begins with its callable
}

}  // namespace

std::string task_name(const detail::Assignment& work, std::span<const std::byte> callable) {
  if (work.options != nullptr && !work.options->name.empty()) return work.options->name;
  return work.descriptor->name(callable);
}
std::string task_name(const detail::Assignment& work) { return task_name(work, callable_of(work)); }

std::exception_ptr timeout_error(const detail::Assignment& work,
                                 std::span<const std::byte> callable) {
  const std::chrono::duration<double> limit = *work.options->timeout;
  return std::make_exception_ptr(TaskTimeout(task_name(work, callable) +
                                             " ran longer than its timeout of " +
                                             std::to_string(limit.count()) +
                                             " s and was stopped"));
}
std::exception_ptr timeout_error(const detail::Assignment& work) {
  return timeout_error(work, callable_of(work));
}

}  // namespace procpool::inline v0::ledger
