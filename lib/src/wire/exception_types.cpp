#include "wire/exception_types.hpp"

#include <ios>

namespace procpool::inline v0::wire {
namespace {

using detail::ExceptionType;

template <class Matches>
const ExceptionType* find(std::span<const ExceptionType> types, Matches matches) {
  for (const ExceptionType& type : types)
    if (matches(type)) return &type;
  return nullptr;
}

template <class Matches>
const ExceptionType* find(Matches matches) {
  if (const auto* type = find(standard_exception_types(), matches)) return type;
  if (const auto* type = find(library_exception_types(), matches)) return type;
  for (const auto* type = registered_exception_types(); type != nullptr; type = type->next)
    if (matches(*type)) return type;
  return nullptr;
}

/// libstdc++ throws ios_base::failure as a private subclass that serves both of its ABIs.
const std::type_info& public_type(const std::type_info& thrown) {
  constexpr std::string_view ios_failure = "St13__ios_failure";
  return thrown.name() == ios_failure ? typeid(std::ios_base::failure) : thrown;
}

}  // namespace

const ExceptionType* find_exception_type(const std::type_info& thrown) {
  const std::type_info& wanted = public_type(thrown);
  return find([&wanted](const ExceptionType& type) {
    return *type.type == wanted || (type.nested_type != nullptr && *type.nested_type == wanted);
  });
}

const ExceptionType* find_exception_type(std::string_view name) {
  return find([name](const ExceptionType& type) { return type.type->name() == name; });
}

}  // namespace procpool::inline v0::wire
