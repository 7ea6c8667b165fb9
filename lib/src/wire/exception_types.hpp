#pragma once

// The exception types known to this program: the standard's, this library's, and those that the
// user registered.

#include <procpool/detail/exception_type.hpp>

#include <span>
#include <string_view>
#include <typeinfo>

namespace procpool::inline v0::wire {

std::span<const detail::ExceptionType> standard_exception_types();
std::span<const detail::ExceptionType> library_exception_types();
const detail::ExceptionType* registered_exception_types() noexcept;

/// By the dynamic type of an exception; null if it is not known.
const detail::ExceptionType* find_exception_type(const std::type_info& thrown);
/// By its name as it travels, type_info::name().
const detail::ExceptionType* find_exception_type(std::string_view name);

}  // namespace procpool::inline v0::wire
