#include <procpool/errors.hpp>

namespace procpool::inline v0 {
namespace {

std::string describe(const std::string& type_name, const std::string& message) {
  return message.empty() ? type_name : type_name + ": " + message;
}

std::exception_ptr nested_in(const std::exception& error) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
  return nested != nullptr ? nested->nested_ptr() : nullptr;
}

}  // namespace

RemoteError::RemoteError(std::string type_name, std::string message)
    : Error(describe(type_name, message)),
      type_name_(std::move(type_name)),
      message_(std::move(message)) {}

std::string_view trace(const std::exception& error) {
  if (const std::exception_ptr inner = nested_in(error)) {
    try {
      std::rethrow_exception(inner);
    } catch (const std::exception& link) {
      // The exception object is shared with `error`, which keeps it alive.
      return trace(link);
    } catch (...) {
      return {};
    }
  }
  const auto* traceback = dynamic_cast<const RemoteTraceback*>(&error);
  return traceback != nullptr ? std::string_view(traceback->what()) : std::string_view();
}

}  // namespace procpool::inline v0
