#include <procpool/detail/registration.hpp>
#include <procpool/errors.hpp>

#include <atomic>
#include <string>

#include "wire/exception_types.hpp"

namespace procpool::inline v0 {
namespace {

// Registrations happen while the program's static objects are made, in any order: both of these are
// ready before any of them.
constinit std::atomic<bool> open{true};
constinit std::atomic<const detail::ExceptionType*> registered{nullptr};

}  // namespace

namespace detail {

bool registration_open() noexcept { return open; }

void close_registration() noexcept { open = false; }
void reopen_registration() noexcept { open = true; }

void require_registration_open(const char* what) {
  if (!registration_open())
    throw Misuse(std::string(what) +
                 " was called after init: call it before, at namespace scope if you can");
}

void add_exception_type(ExceptionType& node, bool& added) {
  require_registration_open("register_exception");
  if (std::exchange(added, true)) return;
  node.next = registered;
  while (!registered.compare_exchange_weak(node.next, &node)) {
  }
}

}  // namespace detail

namespace wire {

const detail::ExceptionType* registered_exception_types() noexcept { return registered; }

}  // namespace wire
}  // namespace procpool::inline v0
