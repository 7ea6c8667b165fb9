// Outcomes as exceptions, and the sentences of what callers do wrong.

#include <cxxabi.h>

#include <exception>
#include <string>
#include <string_view>

#include <procpool/as_completed.hpp>
#include <procpool/detail/core.hpp>
#include <procpool/detail/descriptor.hpp>
#include <procpool/detail/encode.hpp>
#include <procpool/detail/result.hpp>
#include <procpool/errors.hpp>
#include <procpool/future.hpp>
#include <procpool/results.hpp>

#include "wire/exception_codec.hpp"

namespace procpool::inline v0::detail {

std::exception_ptr outcome_error(const Node& node) {
  switch (node.outcome) {
    case Outcome::remote: return rebuild_error(node.payload.bytes());
    case Outcome::error: return node.extras->error;
    default: return nullptr;
  }
}

std::string traceback(const Node& node, const std::exception_ptr& error) {
  if (!error) return {};
  if (node.outcome == Outcome::remote) {
    return wire::traceback_text(wire::parse(node.payload.bytes()));
  }
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return std::string(trace(e));
  } catch (...) {
    return {};
  }
}

void throw_encoding_failed() {
  try {
    throw;
  } catch (const EncodingError&) {
    throw;
  } catch (const UnknownTask&) {
    throw;
  } catch (const Misuse&) {
    throw;
  } catch (const std::exception& error) {
    std::throw_with_nested(
        EncodingError(std::string("an argument could not be encoded: ") + error.what()));
  } catch (const abi::__forced_unwind&) {  // pthread_exit
    throw;
  } catch (...) {
    std::throw_with_nested(EncodingError("an argument could not be encoded: its serialisation "
                                         "threw what is no std::exception"));
  }
}

void throw_wait_timed_out() {
  throw TimeoutError("the task was not done in the given time; it goes on");
}
void throw_unfinished(std::size_t unfinished, std::size_t all) {
  throw TimeoutError(std::to_string(unfinished) + " (of " + std::to_string(all) +
                     ") futures unfinished; the tasks go on");
}
void throw_next_timed_out() {
  throw TimeoutError("the next result was not there in the given time; ask again");
}
void throw_never_started() {
  throw Cancelled("this element was cancelled before it was started");
}
void throw_empty_future() {
  throw Misuse("this future is empty (default-made or moved from): it belongs to no task");
}
void throw_not_ready() {
  throw Misuse("successful() of a task that is not done: wait() first, or ask ready()");
}
void throw_shared_move_only() {
  throw Misuse(
      "this value can only be moved, and other futures share it: get() it from the last one, or "
      "look at it through `const auto& value = future.get()`");
}

}  // namespace procpool::inline v0::detail
