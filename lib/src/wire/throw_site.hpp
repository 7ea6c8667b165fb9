#pragma once

// Where an exception was thrown, for the function that catches all of them.
//
// An exception is thrown in two phases: first the stack is searched for a handler, then it is
// unwound. In the first everything is still there. So the handler's try block has, before all
// others,
//
//     } catch (const wire::ThrowSite&) {
//
// which catches nothing: the search asks ThrowSite's type_info whether it matches, and that one
// notes the stack and says no. Where nothing is thrown nothing is paid, nor for an exception that
// is caught further in.

#include <cstdint>
#include <span>

namespace procpool::inline v0::wire {

/// Nobody makes one. Its virtual function is defined nowhere, so that no compiler makes a type_info
/// for it: throw_site.cpp does.
class ThrowSite {
  virtual void nowhere();
};

/// The stack of the exception that this thread caught last in such a try block, innermost first,
/// with what throws at its beginning. Valid until the next one.
std::span<const std::uintptr_t> throw_site() noexcept;

}  // namespace procpool::inline v0::wire
