#include <procpool/errors.hpp>

#include <array>
#include <string>
#include <utility>

#include "wire/exception_fields.hpp"
#include "wire/exception_types.hpp"

namespace procpool::inline v0::wire {
namespace {

using detail::ExceptionText;
using detail::SpanIn;
using detail::SpanOut;

struct RemoteErrorFields {
  static void encode(SpanOut& ar, const RemoteError& error) {
    detail::encode(ar, error.type_name(), error.message());
  }
  static RemoteError decode(SpanIn& ar, const ExceptionText&) {
    auto type_name = detail::decode<std::string>(ar);
    auto message = detail::decode<std::string>(ar);
    return {std::move(type_name), std::move(message)};
  }
};

struct WorkerCrashedFields {
  static void encode(SpanOut& ar, const WorkerCrashed& error) {
    detail::encode(ar, error.report());
  }
  static WorkerCrashed decode(SpanIn& ar, const ExceptionText&) {
    return WorkerCrashed(detail::decode<CrashReport>(ar));
  }
};

}  // namespace

std::span<const detail::ExceptionType> library_exception_types() {
  static const std::array types{
      text_type<Error>(),           known_type<RemoteError, RemoteErrorFields>(),
      text_type<RemoteTraceback>(), known_type<WorkerCrashed, WorkerCrashedFields>(),
      text_type<TaskTimeout>(),     text_type<TimeoutError>(),
      text_type<Cancelled>(),       text_type<PoolClosed>(),
      text_type<PoolTerminated>(),  text_type<PoolBroken>(),
      text_type<EncodingError>(),   text_type<DecodingError>(),
      text_type<UnknownTask>(),     text_type<Misuse>(),
  };
  return types;
}

}  // namespace procpool::inline v0::wire
