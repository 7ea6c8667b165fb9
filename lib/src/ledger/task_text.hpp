#pragma once

// Tasks in messages.

#include <exception>
#include <string>

#include <procpool/detail/node.hpp>

namespace procpool::inline v0::ledger {

/// The caller's name for it, or its code's.
std::string task_name(const detail::Assignment& work);
/// A TaskTimeout.
std::exception_ptr timeout_error(const detail::Assignment& work);

}  // namespace procpool::inline v0::ledger
