#include "wire/exception_codec.hpp"

#include <cxxabi.h>

#include <procpool/detail/core.hpp>
#include <procpool/errors.hpp>

#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <typeinfo>

#include "os/stack.hpp"
#include "wire/exception_types.hpp"

namespace procpool::inline v0::wire {
namespace {

// ---- in the worker -------------------------------------------------------------------------

std::string demangled(const std::type_info& type) {
  struct Free {
    void operator()(char* text) const { std::free(text); }
  };
  int status = 0;
  const std::unique_ptr<char, Free> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status));
  bool truncated = false;
  return truncate(name != nullptr ? name.get() : type.name(), max_type_name, truncated);
}

void set_message(ErrorLink& link, const char* text) {
  if (text == nullptr) text = "(what() returned a null pointer)";
  link.message = truncate(text, max_error_text, link.truncated);
}

/// What can be said of the exception that is being handled.
void describe_current(ErrorLink& link) {
  try {
    throw;
  } catch (const std::exception& error) {
    set_message(link, error.what());
  } catch (const std::string& text) {
    set_message(link, text.c_str());
  } catch (const char* text) {
    set_message(link, text);
  } catch (int number) {
    link.message = std::to_string(number);
  } catch (...) {
    link.message.clear();
  }
}

/// A type whose fields cannot be encoded is treated as one that is not known.
void encode_fields(ErrorLink& link, const detail::ExceptionType& type) {
  std::array<std::byte, 256> first;
  detail::HeapSink sink;
  detail::SpanOut out(first, sink);
  try {
    type.encode(out);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (...) {
    return;
  }
  if (out.size() > max_error_fields) return;
  const auto* bytes = reinterpret_cast<const unsigned char*>(out.bytes().data());
  link.fields.assign(bytes, bytes + out.size());
  link.type = type.type->name();
}

ErrorLink link_of_current() {
  ErrorLink link;
  describe_current(link);
  const std::type_info* thrown = abi::__cxa_current_exception_type();
  if (thrown == nullptr) {
    link.type_name = "(an exception of another language)";
    return link;
  }
  const detail::ExceptionType* type = find_exception_type(*thrown);
  link.type_name = demangled(type != nullptr ? *type->type : *thrown);
  if (type != nullptr) encode_fields(link, *type);
  return link;
}

std::exception_ptr nested_in_current() {
  try {
    throw;
  } catch (const std::nested_exception& outer) {
    return outer.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

/// Appends the link and returns what is nested in it.
std::exception_ptr append_link(ErrorRecord& record, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    record.chain.push_back(link_of_current());
    return nested_in_current();
  }
}

std::string trace_text(const ErrorContext& context, bool cut_off) {
  bool truncated = false;
  const std::string name(context.task_name);
  std::string text = "in " + truncate(name.c_str(), max_type_name, truncated);
  if (context.attempt == not_of_a_pool) {
    text += " [process " + std::to_string(context.pid) + "]";
  } else {
    text += " [worker " + std::to_string(context.pid) + ", task " + std::to_string(context.task) +
            ", attempt " + std::to_string(context.attempt) + "]";
  }
  if (cut_off) text += "\n(more exceptions were nested than the 16 that travel)";
  return text;
}

std::vector<unsigned char> stack_bytes(std::span<const std::uintptr_t> frames) {
  if (frames.empty()) return {};
  std::vector<unsigned char> bytes(os::max_stack_bytes);
  bytes.resize(os::write_stack(frames, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

// ---- at home -------------------------------------------------------------------------------

/// Throws the link, with the exception that is being handled nested in it.
[[noreturn]] void throw_link(const ErrorLink& link) {
  const detail::ExceptionType* type =
      link.type.empty() ? nullptr : find_exception_type(std::string_view(link.type));
  if (type != nullptr) {
    detail::SpanIn fields(std::as_bytes(std::span(link.fields)));
    type->raise(fields, {link.message, link.truncated});
  }
  std::throw_with_nested(RemoteError(link.type_name, link.message));
}

[[noreturn]] void throw_chain(std::span<const ErrorLink> chain, const detail::LazyText& trace) {
  if (chain.empty()) throw RemoteTraceback(trace);
  try {
    throw_chain(chain.subspan(1), trace);
  } catch (...) {
    throw_link(chain.front());
  }
}

}  // namespace

ErrorRecord record_current_exception(const ErrorContext& context) {
  ErrorRecord record;
  std::exception_ptr next = append_link(record, std::current_exception());
  while (next != nullptr && record.chain.size() < max_error_links) next = append_link(record, next);
  record.trace = trace_text(context, next != nullptr);
  record.stack = stack_bytes(context.frames);
  return record;
}

std::vector<std::byte> encode_current_exception(const ErrorContext& context) {
  return serialise(record_current_exception(context));
}

std::exception_ptr rebuild(const ErrorRecord& record) {
  try {
    ErrorRecord of_trace{.trace = record.trace, .stack = record.stack};
    throw_chain(record.chain, detail::LazyText([of_trace] { return traceback_text(of_trace); }));
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace procpool::inline v0::wire

namespace procpool::inline v0::detail {

std::exception_ptr rebuild_error(std::span<const std::byte> record) {
  try {
    return wire::rebuild(wire::parse(record));
  } catch (...) {  // not a record, or no memory for it: then that is the error
    return std::current_exception();
  }
}

}  // namespace procpool::inline v0::detail
