#pragma once

// An exception on its way between processes: what the worker writes instead of a value.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace procpool::inline v0::wire {

inline constexpr std::size_t max_error_links = 16;
inline constexpr std::size_t max_error_text = 64 * 1024;
inline constexpr std::size_t max_type_name = 4 * 1024;
inline constexpr std::size_t max_error_fields = 1024 * 1024;

/// One exception of a chain of nested ones.
struct ErrorLink {
  std::string type = {};       // type_info::name(), when both sides know the type; else empty
  std::string type_name = {};  // demangled, for people
  std::string message = {};    // what()
  bool truncated = false;      // the message
  std::vector<unsigned char> fields = {};

  bool operator==(const ErrorLink&) const = default;
};

struct ErrorRecord {
  std::vector<ErrorLink> chain = {};  // outermost first; never empty
  std::string trace = {};             // the task and the process
  std::vector<unsigned char> stack =
      {};  // where it was thrown, as os::write_stack writes; may be empty

  bool operator==(const ErrorRecord&) const = default;
};

/// Throws std::bad_alloc only.
std::vector<std::byte> serialise(const ErrorRecord&);
/// The bytes may be anything: throws DecodingError.
ErrorRecord parse(std::span<const std::byte>);

/// What Future::remote_traceback returns. Where there is a stack it is put in words here, which
/// reads debug information: it may take a tenth of a second.
std::string traceback_text(const ErrorRecord&);

/// For a person: where, then what, then what caused it.
std::string whole_text(const ErrorRecord&);
/// One more line at the end of its trace.
void add_to_trace(ErrorRecord&, std::string_view line);

/// At most `limit` bytes of `text`, cut between UTF-8 characters, and a note that says so.
std::string truncate(const char* text, std::size_t limit, bool& truncated);

}  // namespace procpool::inline v0::wire
