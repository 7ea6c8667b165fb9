#pragma once

// Tasks in messages.

#include <cstddef>
#include <exception>
#include <span>
#include <string>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::ledger {

/// The caller's name for it, or its code's.
std::string task_name(const detail::Assignment& work);
/// The same of a call whose bytes are elsewhere by now.
std::string task_name(const detail::Assignment& work, std::span<const std::byte> callable);
/// A TaskTimeout.
std::exception_ptr timeout_error(const detail::Assignment& work);
std::exception_ptr timeout_error(const detail::Assignment& work,
                                 std::span<const std::byte> callable);

}  // namespace procpool::inline v0::ledger
