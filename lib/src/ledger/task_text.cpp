#include "ledger/task_text.hpp"

#include <chrono>

#include <procpool/detail/batch.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/errors.hpp>
#include <procpool/options.hpp>

namespace procpool::inline v0::ledger {

std::string task_name(const detail::Assignment& work) {
  if (work.options != nullptr && !work.options->name.empty()) return work.options->name;
  if (work.is_chunk) {
    return work.descriptor->name(static_cast<const detail::Chunk&>(work).batch->elements.callable);
  }
  // A call begins with its callable.
  return work.descriptor->name(static_cast<const detail::Node&>(work).payload.bytes());
}

std::exception_ptr timeout_error(const detail::Assignment& work) {
  const std::chrono::duration<double> limit = *work.options->timeout;
  return std::make_exception_ptr(TaskTimeout(task_name(work) + " ran longer than its timeout of " +
                                             std::to_string(limit.count()) +
                                             " s and was stopped"));
}

}  // namespace procpool::inline v0::ledger
