#include <procpool/errors.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <typeinfo>
#include <utility>

#include "wire/exception_fields.hpp"
#include "wire/exception_types.hpp"
#include "wire/unknown_code.hpp"

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

struct UnknownCodeFields {
  static void encode(SpanOut& ar, const UnknownCode& error) {
    detail::encode(ar, error.where().module, error.where().offset, error.program());
  }
  /// Made anew at home, not restored: its text names what the worker could not.
  static void raise(SpanIn& ar, const ExceptionText& message) {
    std::string text = message.text;
    try {
      const auto module = detail::decode<std::uint64_t>(ar);
      const auto offset = detail::decode<std::uint64_t>(ar);
      text = UnknownCode({module, offset}, detail::decode<std::string>(ar)).what();
    } catch (const DecodingError&) {
    }
    detail::raise_nested(UnknownTask(text));
  }
};

detail::ExceptionType unknown_code_type() {
  return {&typeid(UnknownCode), detail::nested_type_of<UnknownCode>(),
          &encode_current<UnknownCode, UnknownCodeFields>, &UnknownCodeFields::raise};
}

}  // namespace

std::span<const detail::ExceptionType> library_exception_types() {
  static const std::array types{
      text_type<Error>(),           known_type<RemoteError, RemoteErrorFields>(),
      text_type<RemoteTraceback>(), known_type<WorkerCrashed, WorkerCrashedFields>(),
      text_type<TaskTimeout>(),     text_type<TimeoutError>(),
      text_type<Cancelled>(),       text_type<PoolClosed>(),
      text_type<PoolTerminated>(),  text_type<PoolBroken>(),
      text_type<EncodingError>(),   text_type<DecodingError>(),
      text_type<UnknownTask>(),     unknown_code_type(),
      text_type<OwnerDied>(),       text_type<QueueClosed>(),
      text_type<BrokenBarrier>(),
      text_type<Misuse>(),
  };
  return types;
}

}  // namespace procpool::inline v0::wire
