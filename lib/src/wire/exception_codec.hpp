#pragma once

// An exception of the worker, made into a record there and thrown again at home.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include "wire/error_record.hpp"

namespace procpool::inline v0::wire {

/// The attempt where there are none: the one call of a Process.
inline constexpr unsigned not_of_a_pool = 0;

/// Where an exception was caught; becomes the remote trace.
struct ErrorContext {
  std::string_view task_name = {};
  std::int64_t pid = 0;
  std::uint64_t task = 0;
  unsigned attempt = 1;
  std::span<const std::uintptr_t> frames = {};  // where it was thrown; may be empty
};

/// For use in a catch handler, of anything. Neither copies the exception nor lets its code escape.
/// Throws std::bad_alloc only.
ErrorRecord record_current_exception(const ErrorContext&);
/// The same, as bytes.
std::vector<std::byte> encode_current_exception(const ErrorContext&);

/// The exception as itself, with its chain of nested ones, of which a RemoteTraceback is the
/// innermost; types that nothing can be nested in come bare, unknown ones as RemoteError. Each call
/// makes new exceptions. Runs code of registered types: not to be called under a lock.
std::exception_ptr rebuild(const ErrorRecord&);

}  // namespace procpool::inline v0::wire
